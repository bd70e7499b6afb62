"""However a cell ends, the session goes on, and says whether its state is still there."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.sessions import Open, made, until

from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.sessions.console import Console
from raptorflow.sandbox.sessions.errors import CellTooLarge
from raptorflow.sandbox.sessions.result import CellResult
from raptorflow.sandbox.sessions.session import SandboxSession

NEVER_ENDS = (
    "import time\nprint('begun', flush=True)\nwhile True:\n    try:\n        time.sleep(9)\n"
    "    except BaseException:\n        pass"
)


async def test_an_interrupt_ends_the_cell_and_not_its_names(session: SandboxSession) -> None:
    await session.execute("x = 5")
    sleeping = asyncio.create_task(session.execute("import time\nopen('begun', 'w')\ntime.sleep(600)"))
    await made(session, "begun")
    assert await session.interrupt()
    cell = await sleeping
    assert cell.error
    assert (cell.status, cell.error.name, cell.restarted) == ("error", "KeyboardInterrupt", False)
    assert "time.sleep(600)" in "\n".join(cell.error.traceback)
    assert (await session.execute("x")).result == "5"


async def test_an_interrupt_between_cells_hits_nothing(session: SandboxSession) -> None:
    for _ in range(20):
        quick = asyncio.create_task(session.execute("1"))
        await asyncio.sleep(0)
        await session.interrupt()
        await quick
    assert not await session.interrupt()
    assert (await session.execute("sum(range(1000))")).result == "499500"


async def test_a_busy_loop_and_an_await_can_be_interrupted(session: SandboxSession) -> None:
    for code in ("while True:\n    1 + 1", "import asyncio\nawait asyncio.sleep(600)"):
        cell = await session.execute(code, seconds=0.2)
        assert cell.error
        assert (cell.status, cell.error.name, cell.restarted) == ("timeout", "KeyboardInterrupt", False)
        assert cell.message == "It ran longer than 0.2 s and was interrupted."


async def test_a_cell_that_does_not_mind_interrupts_costs_its_interpreter(session: SandboxSession) -> None:
    await session.execute("x = 5\nopen('kept', 'w')")
    cell = await session.execute(NEVER_ENDS, seconds=0.2)
    assert (cell.status, cell.restarted, cell.stdout) == ("timeout", True, b"begun\n")
    assert "A new interpreter was started" in (cell.message or "")
    after = await session.execute("import os\n('x' in globals(), os.path.exists('kept'))")
    assert (after.result, after.restarted) == ("(False, True)", False)


async def test_a_cell_may_not_run_longer_than_the_spec_allows(open_session: Open) -> None:
    session = await open_session(limits={"timeout_seconds": 0.2})
    cell = await session.execute("import time\ntime.sleep(600)", seconds=900)
    assert cell.status == "timeout"


async def test_who_stops_waiting_for_a_cell_interrupts_it(session: SandboxSession) -> None:
    await session.execute("x = 5")
    sleeping = asyncio.create_task(session.execute("import time\nopen('begun', 'w')\ntime.sleep(600)"))
    await made(session, "begun")
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    after = await session.execute("x")
    assert (after.result, after.restarted) == ("5", False)


async def test_who_stops_waiting_while_the_interpreter_is_replaced_interrupts_the_cell(
    session: SandboxSession,
) -> None:
    await session.execute("import os, threading\nthreading.Timer(0.1, lambda: os._exit(3)).start()")
    console = vars(session)["_console"]
    await until(is_lost(console))
    cell = asyncio.create_task(session.execute("import time\ntime.sleep(15)\nopen('to the end', 'w')"))
    await until(is_replacing(console))
    began = time.monotonic()
    cell.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cell
    assert time.monotonic() - began < 10
    assert "to the end" not in [entry.path for entry in await session.list()]


def is_lost(console: Console) -> Callable[[], Awaitable[object]]:
    async def lost() -> object:
        return vars(console)["_interpreter"].lost

    return lost


def is_replacing(console: Console) -> Callable[[], Awaitable[object]]:
    async def replacing() -> object:
        return vars(console)["_replacing"]

    return replacing


async def test_cells_wait_for_each_other(session: SandboxSession) -> None:
    await session.execute("order = []")
    await asyncio.gather(*(session.execute(f"order.append({number})") for number in range(10)))
    assert (await session.execute("order == sorted(order) and len(order)")).result == "10"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os\nos._exit(3)", "exit code 3"),
        ("import os\nos.kill(os.getpid(), 11)", "SIGSEGV"),
        ("import os\nos.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
async def test_a_cell_that_ends_its_interpreter_gets_a_new_one(
    session: SandboxSession, code: str, told: str
) -> None:
    cell = await session.execute(f"print('before', flush=True)\n{code}")
    assert cell.error
    assert (cell.status, cell.restarted, cell.error.name) == ("error", True, "InterpreterEnded")
    assert told in cell.error.message
    assert cell.stdout == b"before\n"
    assert (await session.execute("6 * 7")).result == "42"


async def test_leaving_by_sys_exit_is_an_error_like_others(session: SandboxSession) -> None:
    await session.execute("x = 5")
    cell = await session.execute("import sys\nsys.exit(3)")
    assert cell.error
    assert (cell.status, cell.error.name, cell.error.message) == ("error", "SystemExit", "3")
    assert (await session.execute("x")).result == "5"


async def test_endless_recursion_is_an_error_like_others(session: SandboxSession) -> None:
    cell = await session.execute("def again():\n    return again()\nagain()")
    assert cell.error
    assert (cell.error.name, cell.restarted) == ("RecursionError", False)
    assert len(cell.error.traceback) < 30


async def test_an_interpreter_that_ends_between_cells_is_replaced_and_said_to_be(
    session: SandboxSession,
) -> None:
    code = (
        "import os, threading, time\nx = 5\n"
        "def leave():\n    while not os.path.exists('now'):\n        time.sleep(0.01)\n    os._exit(9)\n"
        "threading.Thread(target=leave).start()"
    )
    assert (await session.execute(code)).status == "ok"
    await session.put("now", b"")
    told: list[CellResult] = []

    async def is_new() -> bool:
        told.append(await session.execute("'x' in globals()"))
        return told[-1].restarted

    await until(is_new)
    # It may have ended right before that cell, or in it.
    assert told[-1].result in {"False", None}
    assert "exit code 9" in (told[-1].message or "")


async def test_what_threads_print_after_a_cell_is_shown_with_the_next(session: SandboxSession) -> None:
    code = (
        "import os, threading, time\n"
        "def speak():\n    while not os.path.exists('now'):\n        time.sleep(0.01)\n"
        "    print('late', flush=True)\n    open('said', 'w')\nthreading.Thread(target=speak).start()"
    )
    assert (await session.execute(code)).stdout == b""
    await session.put("now", b"")
    await made(session, "said")
    assert (await session.execute("print('own')")).stdout == b"late\nown\n"


async def test_too_much_memory_ends_the_interpreter_and_not_the_session(open_session: Open) -> None:
    session = await open_session(limits={"memory_bytes": 64 * 1024 * 1024})
    code = "def fill():\n    kept = []\n    while True:\n        kept.append(bytearray(b'x' * 10**6))\nfill()"
    cell = await session.execute(code)
    # Where processes are limited one by one, Python notices first.
    assert (cell.status, cell.restarted) == ("oom", True) or (cell.error and cell.error.name == "MemoryError")
    assert (await session.execute("1")).result == "1"


async def test_too_much_output_ends_the_interpreter_and_not_the_session(open_session: Open) -> None:
    session = await open_session(limits={"output_bytes": 100_000})
    cell = await session.execute("while True:\n    print('x' * 999)")
    assert (cell.status, cell.restarted, cell.stdout_truncated) == ("output_limit", True, True)
    assert len(cell.stdout) <= 100_000
    assert (await session.execute("1")).result == "1"


async def test_code_over_its_limit_is_refused(open_session: Open) -> None:
    session = await open_session(settings={"max_code_bytes": 100})
    with pytest.raises(CellTooLarge, match="at most 100"):
        await session.execute("#" * 101)
    assert (await session.execute("#" * 100)).status == "ok"


async def test_only_so_many_cells_may_run(open_session: Open) -> None:
    session = await open_session(settings={"max_cells": 2})
    assert [(await session.execute("1")).status for _ in range(2)] == ["ok", "ok"]
    with pytest.raises(SandboxGone, match="has run the 2 cells"):
        await session.execute("1")
