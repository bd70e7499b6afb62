"""Every driver in turn; a test that takes `subject` runs on each of them."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.outside import Outside, outside_world
from tests.support.subjects import DOCKER, KUBERNETES, LOCAL, MICROVM, Subject, opened

from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.supply import Supply

EMULATED = (pytest.mark.verify, pytest.mark.emulated)
KINDS = (LOCAL, DOCKER, KUBERNETES, pytest.param(MICROVM, marks=EMULATED))
RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
Take = Callable[..., Coroutine[Any, Any, LiveSandbox]]


@pytest.fixture(scope="session")
async def outside(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Outside]:
    """What is beyond the broker."""
    async with outside_world() as world:
        world.trust_authority(tmp_path_factory.mktemp("authority"))
        yield world


@pytest.fixture(scope="session", params=KINDS)
async def subject(
    request: pytest.FixtureRequest, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Subject]:
    folder = tmp_path_factory.mktemp(request.param)
    async with opened(request.param, outside, folder, request.getfixturevalue) as made:
        yield made


@pytest.fixture
async def run_code(subject: Subject, tmp_path: Path) -> AsyncGenerator[RunCode]:
    """Run code through the manager; nothing is left of any run."""

    async def run(code: str, **fields: Any) -> SandboxResult:
        return await subject.manager.run(subject.spec(code, tmp_path, **fields))

    yield run
    assert await subject.left() == []


@pytest.fixture
async def take(subject: Subject, tmp_path: Path) -> AsyncGenerator[Take]:
    """Live sandboxes from a supply; those that a test has not destroyed are, and nothing is left."""
    supply = Supply(subject.driver, subject.settings.pool, subject.settings.start_seconds, 512)
    taken: list[LiveSandbox] = []

    async def one(**fields: Any) -> LiveSandbox:
        sandbox, path = await supply.take(blueprint(subject, tmp_path, **fields), {"run": "contract"})
        assert path == "cold"
        taken.append(sandbox)
        return sandbox

    yield one
    for sandbox in taken:
        await sandbox.destroy()
    await supply.close()
    assert await subject.left() == []


def blueprint(subject: Subject, folder: Path, **fields: Any) -> Blueprint:
    """What a live sandbox is built from."""
    return blueprint_of(subject.spec("", folder, **fields))
