"""Sessions in real sandboxes of the local driver: fixtures and helpers of their tests."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.sessions.lifetime import Ticks
from raptorflow.sandbox.sessions.open import SandboxSessions, built_by
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

Open = Callable[..., Coroutine[Any, Any, SandboxSession]]
MakeSessions = Callable[..., SandboxSessions]
MakeSpec = Callable[..., SandboxSpec]
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.01


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for what must come soon."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def made(session: SandboxSession, name: str) -> None:
    """Wait until something inside has made this file."""

    async def is_there() -> bool:
        return name in [entry.path for entry in await session.list()]

    await until(is_there)


@pytest.fixture(scope="session")
def session_settings(tmp_path_factory: pytest.TempPathFactory) -> SandboxSettings:
    return SandboxSettings(allow_supervised=True, state_dir=tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
async def driver(session_settings: SandboxSettings) -> AsyncGenerator[LocalDriver]:
    """The driver, which in the end holds nothing."""
    local = LocalDriver(session_settings)
    await local.probe()
    yield local
    assert await local.list() == []
    await local.close()


@pytest.fixture
async def make_sessions(
    driver: LocalDriver, session_settings: SandboxSettings
) -> AsyncGenerator[MakeSessions]:
    """Sessions under settings of a test's own, all ended after it."""
    every: list[SandboxSessions] = []

    def make(ticks: Ticks | None = None, **settings: Any) -> SandboxSessions:
        given = SessionSettings.model_validate({"interrupt_seconds": 0.5, **settings})
        every.append(SandboxSessions(built_by(driver, session_settings), session_settings, given, ticks))
        return every[-1]

    yield make
    for sessions in every:
        await sessions.close()


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
    """A spec; `limits` is a mapping, further arguments are the spec's own."""

    def make(*, limits: dict[str, float] | None = None, **fields: Any) -> SandboxSpec:
        skill = tmp_path / "skill"
        skill.mkdir(exist_ok=True)
        given: dict[str, Any] = {
            "command": ("python",),
            "skill_dir": skill,
            "python": sandbox_python(),
            "run_id": "session-test",
            "limits": Limits.model_validate({"timeout_seconds": 20, **(limits or {})}),
        }
        return SandboxSpec(**{**given, **fields})

    return make


@pytest.fixture
def open_session(make_sessions: MakeSessions, make_spec: MakeSpec) -> Open:
    """A session; `settings` are the sessions', further arguments are `make_spec`'s."""

    async def opened(*, settings: dict[str, Any] | None = None, **fields: Any) -> SandboxSession:
        return await make_sessions(**(settings or {})).open(make_spec(**fields))

    return opened


@pytest.fixture
async def session(open_session: Open) -> SandboxSession:
    return await open_session()
