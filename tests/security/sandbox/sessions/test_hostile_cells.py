"""Cells attack their interpreter, and what it tells the host: nothing is believed, the session goes on."""

import json
import struct

from tests.sessions import Open, until

from raptorflow.sandbox.sessions.result import CellResult
from raptorflow.sandbox.sessions.session import SandboxSession

# Its own descriptors are at the upper end: in order of their making cells, two outputs, outcomes.
FIND = (
    "import os\nmine = sorted(int(n) for n in os.listdir('/proc/self/fd') if int(n) > 100)\n"
    "cells, out, err, outcomes = mine[:4]\n"
)
FORGED = (
    b"not json",
    b"[" * 100_000,
    b"{}",
    b'{"cell": "NUMBER"}',
    b'{"cell": -1}',
    b'{"cell": 0}',
    b'{"cell": 999}',
    b'{"cell": NUMBER, "result": 5}',
    b'{"cell": NUMBER, "more": 5}',
    b'{"cell": NUMBER, "result": "' + b"x" * 65537 + b'"}',
    b'{"cell": NUMBER, "error": {"name": "E", "message": "", "traceback": ["x"' + b', "x"' * 100 + b"]}}",
    b'{"cell": NUMBER, "result": "\\ud800"}',
    b'{"cell": NUMBER, "result": "\xff"}',
)
BREAKING = (
    "import os\nos.closerange(0, 10000)",
    f"{FIND}os.close(outcomes)",
    f"{FIND}os.close(cells)",
    "import os\nos.kill(os.getpid(), 15)",
    "import builtins\nfor name in list(vars(builtins)):\n    setattr(builtins, name, None)",
    "import sys\nsys.modules.clear()\nimport json\njson.dumps = None\ndel json",
    "import gc\nfor each in gc.get_objects():\n"
    "    if isinstance(each, dict) and each is not globals():\n        each.clear()",
)


async def test_descriptor_3_is_not_there_to_be_written_to(session: SandboxSession) -> None:
    cell = await session.execute("import os\nos.write(3, b'x')")
    assert cell.error
    assert (cell.error.name, cell.restarted) == ("OSError", False)
    assert (await session.execute("open('f', 'w').fileno()")).result == "3"


async def test_programs_of_a_cell_do_not_get_its_descriptors(session: SandboxSession) -> None:
    cell = await session.execute(
        "import subprocess\n_ = subprocess.run(['ls', '/proc/self/fd'], close_fds=False)"
    )
    assert cell.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3: the folder that `ls` reads


async def test_a_forged_outcome_of_another_shape_costs_the_interpreter(session: SandboxSession) -> None:
    for outcome in FORGED:
        number = (await session.execute("x = 5")).number + 1
        content = outcome.replace(b"NUMBER", b"%d" % number)
        forged = struct.pack("!I", len(content)) + content
        cell = await session.execute(f"{FIND}import time\nos.write(outcomes, {forged!r})\ntime.sleep(600)")
        assert cell.error
        assert (cell.status, cell.restarted, cell.error.name) == ("error", True, "InterpreterEnded"), outcome
        assert "wrote to the interpreter's own descriptors" in cell.error.message
        assert (await session.execute("'x' in globals()")).result == "False"


async def test_an_outcome_that_claims_to_be_huge_is_not_waited_for(session: SandboxSession) -> None:
    claim = struct.pack("!I", 0xFFFFFFFF)
    cell = await session.execute(f"{FIND}import time\nos.write(outcomes, {claim!r})\ntime.sleep(600)")
    assert (cell.status, cell.restarted) == ("error", True)


async def test_a_flood_of_outcomes_costs_the_interpreter(session: SandboxSession) -> None:
    cell = await session.execute(f"{FIND}while True:\n    os.write(outcomes, b'{{}}' * 9999)")
    assert (cell.status, cell.restarted) == ("error", True)
    assert (await session.execute("1")).result == "1"


async def test_an_outcome_too_many_costs_the_interpreter_sooner_or_later(session: SandboxSession) -> None:
    told = json.dumps({"cell": 1, "result": "forged"}).encode()
    forged = struct.pack("!I", len(told)) + told
    cell = await session.execute(f"{FIND}_ = os.write(outcomes, {forged!r})\nprint('on')")
    # The interpreter tells its own too. Whichever comes first counts: a cell can lie about itself alone.
    after = await session.execute("1")
    while not (cell.restarted or after.restarted):
        after = await session.execute("1")
    # The next cell may be the one that pays for it; the one after that is not.
    assert (await session.execute("6 * 7")).result == "42"


async def test_an_outcome_between_two_cells_costs_the_interpreter(session: SandboxSession) -> None:
    told = json.dumps({"cell": 2, "result": "forged"}).encode()
    forged = struct.pack("!I", len(told)) + told
    code = (
        f"{FIND}import threading, time\n"
        "def forge():\n    while not os.path.exists('now'):\n        time.sleep(0.01)\n"
        f"    os.write(outcomes, {forged!r})\nthreading.Thread(target=forge).start()"
    )
    assert (await session.execute(code)).status == "ok"
    await session.put("now", b"")

    async def is_ended() -> bool:
        ran = await session.run(["sh", "-c", "echo /proc/[0-9]*"])
        # The first process, the agent, this program and its keeper.
        return len(ran.stdout.split()) == 4

    await until(is_ended)
    after = await session.execute("6 * 7")
    assert (after.result, after.restarted) == ("42", True)
    assert "wrote to the interpreter's own descriptors" in (after.message or "")


async def test_a_cell_that_breaks_its_interpreter_leaves_a_working_session(
    session: SandboxSession,
) -> None:
    for code in BREAKING:
        cell = await session.execute(code, seconds=5)
        after = await session.execute("6 * 7")
        assert (after.number, after.result) == (cell.number + 1, "42"), code


async def test_closed_outputs_only_silence_the_cell(session: SandboxSession) -> None:
    cell = await session.execute("import os\nprint('before', flush=True)\nos.close(1); os.close(2)\n5")
    assert (cell.stdout, cell.result, cell.restarted) == (b"before\n", "5", False)
    after = await session.execute("import sys\nsys.stdout = None\n6")
    assert (after.result, after.restarted) == ("6", False)


async def test_outputs_made_non_blocking_lose_nothing_of_what_ends_a_cell(session: SandboxSession) -> None:
    code = (
        "import os\nos.set_blocking(1, False)\n"
        "try:\n    while True:\n        os.write(1, b'x' * 999)\nexcept OSError:\n    pass\n7"
    )
    cell = await session.execute(code)
    assert (cell.result, cell.restarted) == ("7", False)


async def test_deleted_builtins_come_back(session: SandboxSession) -> None:
    cell = await session.execute("import builtins\nvars(builtins).clear()")
    assert not cell.restarted
    assert (await session.execute("len('abc')")).result == "3"


async def test_a_copy_of_the_interpreter_tells_nothing(session: SandboxSession) -> None:
    code = (
        "import os\nx = 5\nchild = os.fork()\n"
        "if child:\n    code = os.waitpid(child, 0)[1]\nelse:\n    x = 6\n'end'"
    )
    cell = await session.execute(code)
    assert (cell.status, cell.result, cell.restarted) == ("ok", "'end'", False)
    assert (await session.execute("(x, code)")).result == "(5, 0)"
    failed = await session.execute(
        "child = os.fork()\nif not child:\n    1 / 0\nos.waitpid(child, 0)[1] >> 8"
    )
    assert (failed.status, failed.result) == ("ok", "1")


async def test_copies_end_with_the_interpreter(session: SandboxSession) -> None:
    await session.execute(
        "import os, time\nfor _ in range(5):\n    if not os.fork():\n        time.sleep(600)"
    )
    await session.reset()
    left = await session.execute("import os\nlen([pid for pid in os.listdir('/proc') if pid.isdigit()])")
    assert left.result == "3"  # the first process, the agent and the interpreter


async def test_a_flood_between_two_cells_costs_the_interpreter(open_session: Open) -> None:
    session = await open_session(limits={"output_bytes": 100_000})
    code = (
        "import os, threading, time\n"
        "def flood():\n    while not os.path.exists('now'):\n        time.sleep(0.01)\n"
        "    while True:\n        os.write(1, b'x' * 60_000)\nthreading.Thread(target=flood).start()"
    )
    assert (await session.execute(code)).status == "ok"
    await session.put("now", b"")
    told: list[CellResult] = []

    async def is_new() -> bool:
        told.append(await session.execute("1"))
        return told[-1].restarted

    await until(is_new)
    # The flood began right before a cell, or in one.
    between = "Between two cells it printed more than 100000 bytes." in (told[-1].message or "")
    assert between or told[-1].status == "output_limit"
    assert (await session.execute("6 * 7")).result == "42"


async def test_what_cannot_be_shown_is_an_error(session: SandboxSession) -> None:
    code = (
        "class Bad(Exception):\n    def __str__(self):\n        raise ValueError('no')\n"
        "    __repr__ = __str__\nBad()"
    )
    cell = await session.execute(code)
    assert cell.error
    assert (cell.error.name, cell.restarted) == ("ValueError", False)
    raised = await session.execute("raise Bad()")
    assert raised.error
    assert (raised.error.name, raised.restarted) == ("Bad", False)


async def test_text_that_is_none_comes_out_as_text(session: SandboxSession) -> None:
    cell = await session.execute("raise ValueError('\\ud800 \\0 \\x1b[31m')")
    assert cell.error
    assert cell.error.message == "\\ud800 \0 \x1b[31m"
    shown = await session.execute("'\\ud800'")
    assert shown.result == "'\\ud800'"


async def test_the_host_keeps_little_of_a_flood(session: SandboxSession) -> None:
    cell = await session.execute("import sys\nwhile True:\n    sys.stdout.write('x' * 60_000)")
    assert (cell.status, cell.restarted) == ("output_limit", True)
    assert len(cell.stdout) <= 256 * 1024


async def test_a_bomb_of_processes_ends_with_its_cell(open_session: Open) -> None:
    session = await open_session(limits={"pids": 16})
    cell = await session.execute("import os\nwhile True:\n    os.fork()", seconds=2)
    assert cell.status in {"error", "timeout"}
    await session.reset()
    assert (await session.execute("6 * 7")).result == "42"
