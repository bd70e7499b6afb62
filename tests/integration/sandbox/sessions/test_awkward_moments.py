"""Whoever interrupts, gives up or prints at an awkward moment finds the session as it was."""

import asyncio
import hashlib
import uuid
from contextlib import suppress

import pytest
from tests.sessions import MakeSpec, Open, made, until
from tests.support.traces import processes, soon, turns

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.sessions.errors import SandboxPaused
from raptorflow.sandbox.sessions.open import SandboxSessions, built_by
from raptorflow.sandbox.sessions.result import CellResult
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import MIB

SIZE = 200_000
LONG = f"x = '{'a' * SIZE}'\ndone = len(x)"
LATE_BYTES = 1_000_000
# Prints between two cells: from when it is told to until there is a file.
PRINTS_LATE = f"""
import os, sys, threading, time
def late():
    while not os.path.exists("go"):
        time.sleep(0.01)
    sys.stdout.write("y" * {LATE_BYTES})
    sys.stdout.flush()
    open("printed", "w").close()
threading.Thread(target=late, daemon=True).start()
"""
HOG = "x = bytearray(b'x' * (1 << 20)) * 400"
HUNGRY_CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {HOG!r}]).returncode"
WAITS = "import os, time\nopen('begun', 'w')\nwhile not os.path.exists('go'):\n    time.sleep(0.01)"


def was_interrupted(cell: CellResult) -> bool:
    """Whether that ended it, and nothing else."""
    return cell.status == "error" and cell.error is not None and cell.error.name == "KeyboardInterrupt"


@pytest.mark.parametrize("number", range(1, 11))
async def test_an_interrupt_while_a_long_cell_is_sent_changes_no_code(
    session: SandboxSession, number: int
) -> None:
    await session.execute("keep = 'kept'")
    running = asyncio.create_task(session.execute(LONG))
    await turns(number)
    await session.interrupt()
    cell = await running
    assert cell.status == "ok" or was_interrupted(cell), cell
    after = await session.execute("(keep, globals().get('done'))")
    whole, none = f"('kept', {SIZE})", "('kept', None)"
    assert after.result in ({whole} if cell.status == "ok" else {whole, none}), after
    assert (cell.restarted, after.restarted) == (False, False)


@pytest.mark.parametrize("number", range(1, 11))
async def test_an_interrupt_while_a_long_cell_is_sent_is_not_lost(
    session: SandboxSession, number: int
) -> None:
    await session.execute("keep = 'kept'")
    running = asyncio.create_task(session.execute(f"import time\n{LONG}\ntime.sleep(600)"))
    await turns(number)
    # Until it was begun.
    await until(session.interrupt)
    cell = await running
    assert was_interrupted(cell), cell
    assert (await session.execute("keep")).result == "'kept'"


@pytest.mark.parametrize("number", range(1, 11))
async def test_who_stops_waiting_while_a_long_cell_is_sent_interrupts_it(
    session: SandboxSession, number: int
) -> None:
    await session.execute("keep = 'kept'")
    running = asyncio.create_task(session.execute(f"import time\n{LONG}\ntime.sleep(600)"))
    await turns(number)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    after = await session.execute("keep")
    assert (after.status, after.result, after.restarted) == ("ok", "'kept'", False)


async def test_a_long_cell_whose_time_is_up_at_once_is_interrupted(session: SandboxSession) -> None:
    await session.execute("keep = 'kept'")
    cell = await session.execute(f"import time\n{LONG}\ntime.sleep(600)", seconds=0)
    assert cell.error
    assert (cell.status, cell.error.name, cell.restarted) == ("timeout", "KeyboardInterrupt", False)
    assert (await session.execute("keep")).result == "'kept'"


# After so many turns and so long.
RESETS = [*((number, 0.0) for number in (1, 2, 3, 4, 5, 6, 8, 12, 20, 40)), (0, 0.002), (0, 0.01), (0, 0.03)]


@pytest.mark.parametrize(("number", "seconds"), RESETS)
async def test_a_reset_can_be_given_up_at_any_moment(
    session: SandboxSession, number: int, seconds: float
) -> None:
    await session.execute("x = 1")
    resetting = asyncio.create_task(session.reset())
    await turns(number)
    await asyncio.sleep(seconds)
    resetting.cancel()
    with suppress(asyncio.CancelledError):
        await resetting
    for _ in range(2):
        cell = await session.execute("(6 * 7, 'x' in globals())")
        assert (cell.status, cell.result, cell.message) == ("ok", "(42, False)", None)
        await session.reset()
    assert session.ended is None


async def test_a_reset_can_be_given_up_again_and_again(session: SandboxSession) -> None:
    resetting = asyncio.create_task(session.reset())

    async def is_done() -> bool:
        resetting.cancel()
        return resetting.done()

    await asyncio.sleep(0)
    await until(is_done)
    assert resetting.cancelled()
    assert (await session.execute("6 * 7")).result == "42"


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_pause_that_is_given_up_can_be_undone(session: SandboxSession, number: int) -> None:
    await session.execute("x = 5")
    pausing = asyncio.create_task(session.pause())
    await turns(number)
    pausing.cancel()
    with suppress(asyncio.CancelledError):
        await pausing
    await session.resume()
    cell = await session.execute("x", seconds=5)
    assert (cell.status, cell.result, cell.restarted) == ("ok", "5", False)


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_program_that_is_given_up_as_it_starts_is_ended(session: SandboxSession, number: int) -> None:
    mark = f"600.{uuid.uuid4().int}"
    running = asyncio.create_task(session.run(["sleep", mark]))
    await turns(number)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # What was asked for before it has been started by then.
    assert (await session.run(["true"])).status == "ok"
    await soon(lambda: not processes(mark))


async def test_a_program_is_not_blamed_for_the_memory_of_others(
    driver: LocalDriver, session_settings: SandboxSettings, make_spec: MakeSpec
) -> None:
    # Looked at so rarely that it is the kernel which ends the child.
    settings = session_settings.model_copy(update={"watch_seconds": 600})
    sessions = SandboxSessions(built_by(driver, settings), settings, SessionSettings())
    try:
        session = await sessions.open(make_spec(limits={"memory_bytes": 64 * MIB, "disk_bytes": MIB}))
        beside = asyncio.create_task(session.run(["python", "-c", f"{WAITS}\nprint('fine')"]))
        await made(session, "begun")
        cell = await session.execute(HUNGRY_CHILD)
        # Killed, or refused where processes are limited one by one.
        assert (cell.status, cell.result) in {("ok", "-9"), ("ok", "1")}
        await session.put("go", b"")
        ran = await beside
        assert (ran.status, ran.exit_code, ran.stdout, ran.message) == ("ok", 0, b"fine\n", None)
    finally:
        await sessions.close()


async def test_what_is_printed_between_two_cells_is_counted_whole(open_session: Open) -> None:
    session = await open_session(limits={"output_bytes": 4 * LATE_BYTES})
    await session.execute(PRINTS_LATE)
    await session.put("go", b"")
    await made(session, "printed")
    cell = await session.execute("print('own')")
    whole = b"y" * LATE_BYTES + b"own\n"
    assert cell.stdout_bytes == len(whole)
    assert cell.stdout_sha256 == hashlib.sha256(whole).hexdigest()
    assert cell.stdout_truncated
    assert cell.stdout.endswith(b"yown\n")


async def test_a_pause_comes_although_programs_keep_coming(session: SandboxSession) -> None:
    await session.execute("x = 5")

    async def again_and_again() -> None:
        while True:
            await session.run(["true"])

    # Each begins anew as soon as it has ended: there is always one of them.
    coming = [asyncio.create_task(again_and_again()) for _ in range(2)]
    given_up = asyncio.create_task(session.pause())
    await turns(1)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    pausing = asyncio.create_task(session.pause())
    try:
        await soon(pausing.done)
        await pausing
        for each in coming:
            with pytest.raises(SandboxPaused):
                await each
    finally:
        for task in (*coming, pausing):
            task.cancel()
        await asyncio.gather(*coming, pausing, return_exceptions=True)
    await session.resume()
    assert (await session.run(["true"])).status == "ok"
    assert (await session.execute("x")).result == "5"
