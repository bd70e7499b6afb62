"""However a sandbox is taken back, that is written down, and what came of the run is told."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.traces import turns

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.manager import SandboxManager, Surroundings
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]


class Destroying(LocalDriver):
    """The local driver that tells when it destroys a sandbox, or refuses to, once."""

    def __init__(self, settings: SandboxSettings) -> None:
        super().__init__(settings)
        self.begun = asyncio.Event()
        self.refuses = False

    async def destroy(self, handle: Handle) -> None:
        self.begun.set()
        if self.refuses:
            self.refuses = False
            raise SandboxUnavailable("The engine is gone.")
        await super().destroy(handle)


@pytest.fixture
def settings(tmp_path: Path) -> SandboxSettings:
    return SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=tmp_path / "state")


@pytest.fixture
def destroying(settings: SandboxSettings) -> Destroying:
    return Destroying(settings)


@pytest.fixture
async def manager(
    settings: SandboxSettings, destroying: Destroying, tmp_path: Path
) -> AsyncGenerator[SandboxManager]:
    around = Surroundings(audit=AuditLog(tmp_path / "audit", AuditSettings()))
    made = SandboxManager(settings, {"local": destroying}, around)
    await made.start()
    # What is tried first is destroyed too.
    await made.check()
    destroying.begun.clear()
    yield made
    await made.close()


def rows(tmp_path: Path) -> list[JsonObject]:
    return list(export(tmp_path / "audit", Wanted()))


@pytest.mark.parametrize("number", [0, 1, 2, 4])
async def test_a_run_that_is_cancelled_while_its_sandbox_is_destroyed_says_so_in_writing(
    manager: SandboxManager, destroying: Destroying, make_spec: MakeSpec, tmp_path: Path, number: int
) -> None:
    run = asyncio.create_task(manager.run(make_spec("print(1)")))
    await destroying.begun.wait()
    await turns(number)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert await destroying.list() == []
    await manager.close()
    told = [(row["kind"], row.get("reason")) for row in rows(tmp_path)]
    assert told == [("create", None), ("exec", None), ("destroy", "used")]


async def test_a_sandbox_that_is_not_removed_does_not_cost_the_run_its_result(
    manager: SandboxManager, destroying: Destroying, make_spec: MakeSpec, tmp_path: Path
) -> None:
    destroying.refuses = True
    with capture_logs() as lines:
        result = await manager.run(make_spec("print(1)"))
    assert (result.status, result.stdout) == ("ok", b"1\n")
    (line,) = [line for line in lines if line["event"] == "a sandbox was not removed"]
    (left,) = await destroying.list()
    assert (line["sandbox"], line["reason"]) == (left.sandbox_id, "The engine is gone.")
    await manager.close()
    assert await destroying.list() == []
    # Nobody has seen it go.
    assert [row["kind"] for row in rows(tmp_path)] == ["create", "exec"]
