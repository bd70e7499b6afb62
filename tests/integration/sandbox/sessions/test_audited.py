"""What a session does is in the audit log, in order, and without a word of it."""

import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.sessions import MakeSpec

from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.errors import SandboxBusy
from raptorflow.sandbox.manager import SandboxManager, Surroundings, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncGenerator[SandboxManager]:
    settings = SandboxSettings(
        pool=NONE_READY,
        allow_supervised=True,
        state_dir=tmp_path / "state",
        sessions=SessionSettings(max_open=1),
    )
    log = AuditLog(tmp_path / "audit", AuditSettings())
    made = build_manager(settings, around=Surroundings(audit=log))
    await made.start()
    yield made
    await made.close()


async def test_cells_programs_and_files_are_written_down(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path
) -> None:
    code = "secret = 'not to be written'; print(secret)"
    session = await manager.session(make_spec(tenant="acme"))
    await session.execute(code)
    await session.put("given.txt", b"12345")
    await session.run(["sh", "-c", "exit 3"])
    await session.get("given.txt")
    with pytest.raises(SandboxBusy):
        await manager.session(make_spec(tenant="other"))
    await session.close()
    await manager.close()

    found = list(export(tmp_path / "audit", Wanted()))
    told = [(row["kind"], row["tenant"]) for row in found]
    assert told == [
        ("create", "acme"),
        ("exec", "acme"),
        ("file", "acme"),
        ("exec", "acme"),
        ("file", "acme"),
        ("refusal", "other"),
        ("destroy", "acme"),
    ]
    cell, came, ran, went = found[1:5]
    assert (cell["program"], cell["status"]) == ("cell", "ok")
    assert cell["arguments"] == hashlib.sha256(code.encode()).hexdigest()
    assert (ran["program"], ran["status"], ran["exit_code"]) == ("sh", "error", 3)
    assert [(row["direction"], row["name"], row["size"]) for row in (came, went)] == [
        ("in", "given.txt", 5),
        ("out", "given.txt", 5),
    ]
    assert "not to be written" not in repr(found)
