"""What becomes of runs is in the audit log, also of those that nobody waits for."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from raptorflow.base.json import JsonObject
from raptorflow.sandbox import manager as managers
from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.errors import SandboxSpecInvalid
from raptorflow.sandbox.manager import SandboxManager, Surroundings, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]
SETTLE_SECONDS = 20.0
POLL_SECONDS = 0.05
SLEEP = "import time\nprint('begun', flush=True)\ntime.sleep(60)"


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncGenerator[SandboxManager]:
    settings = SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=tmp_path / "state")
    made = build_manager(settings, around=Surroundings(audit=AuditLog(tmp_path / "audit", AuditSettings())))
    await made.start()
    yield made
    await made.close()


def rows(tmp_path: Path) -> list[JsonObject]:
    return list(export(tmp_path / "audit", Wanted()))


async def created(tmp_path: Path) -> None:
    """Wait until a sandbox was made."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not rows(tmp_path):
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def test_a_run_that_is_cancelled_was_ended_by_force(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path
) -> None:
    run = asyncio.create_task(manager.run(make_spec(SLEEP)))
    await created(tmp_path)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await manager.close()
    told = [(row["kind"], row.get("reason")) for row in rows(tmp_path)]
    assert told == [("create", None), ("kill", "cancelled"), ("destroy", "used")]


async def test_a_run_that_a_limit_has_ended_was_ended_by_force(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path
) -> None:
    await manager.run(make_spec(SLEEP, limits={"timeout_seconds": 0.3}))
    await manager.close()
    told = [(row["kind"], row.get("limit") or row.get("reason")) for row in rows(tmp_path)]
    assert told[1:] == [("exec", None), ("limit", "timeout"), ("kill", "timeout"), ("destroy", "used")]


async def test_a_run_that_makes_no_sense_is_refused_in_writing(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path
) -> None:
    with pytest.raises(SandboxSpecInvalid):
        await manager.run(dataclasses.replace(make_spec(SLEEP), command=()))
    await manager.close()
    assert [(row["kind"], row["code"]) for row in rows(tmp_path)] == [("refusal", "sandbox-spec-invalid")]


async def test_closing_ends_what_takes_too_long_and_writes_its_end(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managers, "DRAIN_SECONDS", 0.2)
    run = asyncio.create_task(manager.run(make_spec(SLEEP, limits={"timeout_seconds": 50})))
    await created(tmp_path)
    await manager.close()
    result = await run
    assert result.status == "sandbox_error"
    assert [row["kind"] for row in rows(tmp_path)] == ["create", "exec", "destroy"]
