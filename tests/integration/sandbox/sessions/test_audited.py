"""What a session does is in the audit log, in order, and without a word of it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.sessions import MakeSpec, made

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
    manager = build_manager(settings, around=Surroundings(audit=log))
    await manager.start()
    yield manager
    await manager.close()


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
    assert (cell["stdout_bytes"], cell["stdout"]) == (18, hashlib.sha256(b"not to be written\n").hexdigest())
    assert [(row["direction"], row["name"], row["size"]) for row in (came, went)] == [
        ("in", "given.txt", 5),
        ("out", "given.txt", 5),
    ]
    assert "not to be written" not in repr(found)


async def test_the_output_is_told_whole_and_limits_and_cancelled_programs_are_written_down(
    manager: SandboxManager, make_spec: MakeSpec, tmp_path: Path
) -> None:
    session = await manager.session(make_spec(limits={"output_bytes": 2_000_000}))
    await session.execute("print('x' * 999_999)")
    await session.run(["python", "-c", "print('x' * 999_999)"])
    await session.run(["sleep", "60"], seconds=0.3)
    await session.execute("while True: pass", seconds=0.3)
    await session.execute("print('x' * 9_999_999)")
    running = asyncio.create_task(session.run(["sh", "-c", "touch begun; sleep 60"]))
    await made(session, "begun")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await session.close()
    await manager.close()

    found = list(export(tmp_path / "audit", Wanted()))
    digest = hashlib.sha256(b"x" * 999_999 + b"\n").hexdigest()
    assert [(row["stdout_bytes"], row["stdout"]) for row in found[1:3]] == [(1_000_000, digest)] * 2
    rest = [(row["kind"], row.get("status") or row.get("limit") or row.get("reason")) for row in found[3:]]
    assert rest == [
        ("exec", "timeout"),
        ("limit", "timeout"),
        ("kill", "timeout"),
        # Its interpreter was interrupted, and goes on.
        ("exec", "timeout"),
        ("limit", "timeout"),
        ("exec", "output-limit"),
        ("limit", "output-limit"),
        ("kill", "output-limit"),
        ("kill", "cancelled"),
        ("destroy", "used"),
    ]
