"""In a sandbox that was kept ready, what a program leaves behind ends as it does in a new one."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from tests.support.pools import LOOK_SECONDS, READY_SECONDS, hits, twice
from tests.support.traces import processes, soon

from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.running import run as runs
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

COUNT = "import os; print(sum(name.isdigit() for name in os.listdir('/proc')))"


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncGenerator[SandboxManager]:
    """One that keeps sandboxes of what it has run once."""
    pool = {"min_ready": 1, "spare_memory_bytes": 0}
    settings = {"allow_supervised": True, "state_dir": tmp_path / "state", "pool": pool}
    made = build_manager(SandboxSettings.model_validate(settings))
    yield made
    await made.close()


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    (tmp_path / "skill").mkdir()
    return SandboxSpec(
        ("true",), tmp_path / "skill", sandbox_python(), artifacts_dir=tmp_path / "artifacts", run_id="warm"
    )


async def test_what_a_program_leaves_running_has_ended_before_its_files_are_taken(
    manager: SandboxManager, spec: SandboxSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, collect, taken = f"600.{uuid.uuid4().int}", runs.collect, 0

    async def looked(*given: Any) -> Any:
        nonlocal taken
        await soon(lambda: not processes(mark))
        taken += 1
        return await collect(*given)

    monkeypatch.setattr(runs, "collect", looked)
    leaves = ("sh", "-c", f"setsid sleep {mark} >/dev/null 2>&1 & exit 0")
    for result in await twice(
        manager, SandboxSpec(leaves, spec.skill_dir, spec.python, artifacts_dir=spec.artifacts_dir)
    ):
        assert (result.status, result.exit_code) == ("ok", 0)
    assert taken >= 2


async def counted(manager: SandboxManager, spec: SandboxSpec) -> bytes:
    """How many processes there are in a new session, the one that counts them among them."""
    session = await manager.session(spec)
    try:
        told = await session.run(["python", "-c", COUNT])
        assert told.status == "ok"
        return told.stdout
    finally:
        await session.close()


async def test_nothing_waits_in_a_session(manager: SandboxManager, spec: SandboxSpec) -> None:
    before = hits("local")
    cold = await counted(manager, spec)
    assert hits("local") == before
    async with asyncio.timeout(READY_SECONDS):
        while True:
            warm = await counted(manager, spec)
            if hits("local") > before:
                break
            await asyncio.sleep(LOOK_SECONDS)
    # The first process, the agent, the interpreter, and the program with its keeper.
    assert (cold, warm) == (b"5\n", b"5\n")
