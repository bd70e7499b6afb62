"""The pure tier against CPython: the same scripts, the same answers."""

import ast
import asyncio
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import raptorflow_skill
from raptorflow.sandbox.drivers.monty.confinement import new_folder
from raptorflow.sandbox.drivers.monty.engine import MontyWorker
from raptorflow.sandbox.drivers.monty.runner import PureRunner
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.drivers.monty.worker import Allowed, Failure, Kind, Printed
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import Limits
from raptorflow.skills.pure import suitability
from raptorflow.skills.pure.vocabulary import ABSTRACT, MISSING_BUILTINS, MODULES

RunPure = Callable[..., Coroutine[Any, Any, SandboxResult]]
MakeWorker = Callable[[], Coroutine[Any, Any, MontyWorker]]
HELPER = Path(raptorflow_skill.__path__[0]).parent
ALLOWED = Allowed(5, 64 * 2**20, 2**20, 500)
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.01
# Generous: it is to show that nothing is started that takes long, on a machine that others use.
START_MS = 60.0

SCRIPT = Path(__file__).with_name("pure_actions.py").read_text()
NAMES = re.findall(r'^    "(\w+)": \1,$', SCRIPT, re.MULTILINE)
ECHO = """from raptorflow_skill import action
action.run(lambda given: {"given": given})
"""
GIVEN = {
    "n": 7,
    "words": ["pear", "fig", "apple"],
    "rows": [{"team": "b", "spent": 3}, {"team": "a", "spent": 0}, {"team": "b", "spent": 5}],
}


def in_cpython(source: str, stdin: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", source, *arguments],
        input=stdin,
        env={"PYTHONPATH": str(HELPER), "RAPTORFLOW_VARIABLES": '{"currency": "EUR"}'},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("name", [*NAMES, "unknown"])
async def test_an_action_answers_as_it_does_in_cpython(run_pure: RunPure, name: str) -> None:
    stdin = json.dumps(GIVEN).encode()
    real = in_cpython(SCRIPT, stdin, name)
    result = await run_pure(SCRIPT, stdin, arguments=(name,), variables={"currency": "EUR"})
    assert result.exit_code == real.returncode, result
    assert result.stdout == real.stdout
    # Tracebacks are drawn differently, and messages are worded so; the last line names the error.
    ours, theirs = (stderr.splitlines()[-1:] for stderr in (result.stderr, real.stderr))
    if real.returncode == 1:
        ours, theirs = ([line.split(b":")[0] for line in lines] for lines in (ours, theirs))
    assert ours == theirs
    assert result.status == ("ok" if real.returncode == 0 else "error")


@pytest.mark.parametrize("stdin", [b"", b"{}", b"[]", b"null", b"3", b'"x"', b"true", b"{", b"\xff"])
async def test_the_input_is_read_as_the_helper_does(run_pure: RunPure, stdin: bytes) -> None:
    real, result = in_cpython(ECHO, stdin), await run_pure(ECHO, stdin)
    assert result.exit_code == real.returncode
    told, expected = json.loads(result.stdout), json.loads(real.stdout)
    if real.returncode:
        told, expected = told["error"]["code"], expected["error"]["code"]
    assert told == expected


async def test_a_script_without_the_helper_prints_its_answer_itself(run_pure: RunPure) -> None:
    result = await run_pure("import sys\nprint('out')\nprint('err', file=sys.stderr)\n42")
    assert (result.status, result.stdout, result.stderr) == ("ok", b"out\n", b"err\n")


async def test_what_cannot_run_there_says_why_and_is_not_begun(run_pure: RunPure) -> None:
    result = await run_pure("print('begun')\nimport socket\nopen('x')")
    assert (result.status, result.exit_code, result.stdout) == ("sandbox_error", None, b"")
    assert result.message == "line 2: the module 'socket' is not there; line 3: `open` is not there"


@pytest.mark.parametrize(
    ("source", "limits", "status"),
    [
        ("while True: pass", {"timeout_seconds": 0.2}, "timeout"),
        ("try:\n  while True: pass\nexcept BaseException:\n  pass", {"timeout_seconds": 0.2}, "timeout"),
        ("import time\ntime.sleep(60)", {"timeout_seconds": 0.2}, "timeout"),
        (
            "import re\nre.match('(a|a)*$', 'a' * 60 + 'b')\nwhile True: pass",
            {"timeout_seconds": 0.2},
            "timeout",
        ),
        ("x = []\nwhile True: x.append('a' * 10 ** 6 + str(len(x)))", {"memory_bytes": 16 * 2**20}, "oom"),
        ("x = 'a' * 2 ** 40", {}, "oom"),
        ("x = 2 ** (10 ** 10)", {}, "oom"),
        ("while True: print('y' * 1000)", {"output_bytes": 10_000}, "output_limit"),
        ("print('y' * 10 ** 6)", {"output_bytes": 10_000}, "output_limit"),
    ],
)
async def test_limits_hold(run_pure: RunPure, source: str, limits: dict[str, float], status: str) -> None:
    result = await run_pure(source, limits=limits)
    assert result.status == status, result
    assert result.exit_code is None
    assert result.message
    assert len(result.stdout) <= 10_000


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('x' * 50_000_000)",
        "raise ValueError('\u20ac' * 9_000)",
        "print('y' * 9_000)\nraise ValueError('x' * 2_000)",
        "len = str = BaseException = RuntimeError = print = None\nraise KeyError('x' * 50_000_000)",
        "def f():\n  raise ValueError('x' * 50_000_000)\ndef g():\n  f()\ng()",
        "from raptorflow_skill.errors import SkillError\nraise SkillError('a', 'y' * 50_000_000)",
        "from raptorflow_skill.errors import SkillError\nraise SkillError('a', 'y', '\\n' * 9_000)",
        "getattr(1, 'x' * 50_000_000)",
    ],
)
async def test_an_error_is_output_and_does_not_cross_whole(
    run_pure: RunPure, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed: list[str] = []
    made = Failure.__init__

    def noting(self: Failure, kind: Kind, message: str, trace: str = "") -> None:
        crossed.extend((message, trace))
        made(self, kind, message, trace)

    monkeypatch.setattr(Failure, "__init__", noting)
    result = await run_pure(source, limits={"output_bytes": 10_000})
    assert (result.status, result.exit_code) == ("output_limit", None), result
    assert result.message
    assert len(result.stdout) + len(result.stderr) <= 10_000
    assert max(map(len, crossed)) < 25_000


async def test_statements_may_go_on_over_lines_inside_of_the_guard(run_pure: RunPure) -> None:
    source = (
        'from __future__ import annotations\n\n# note\nx = """a\n  b\nc"""\n'
        "if x:\n\ty = [\n1,\n]\nelse:\n\ty = 3\n"
        "z = 1 + \\\n2\ndef f():\n    global x\n    x = z\n\n    return 'w'\nprint(repr(x), y, z, f(), x)"
    )
    result = await run_pure(source)
    assert result.stdout == in_cpython(source, b"").stdout, result


@pytest.mark.parametrize("last", ["", "\n", "\n# the end", "\n\n  # the end\n\n"])
async def test_a_script_may_end_as_it_likes(run_pure: RunPure, last: str) -> None:
    assert (await run_pure(f"if 1:\n  print(2){last}")).stdout == b"2\n"
    assert (await run_pure(last)).status == "ok"


async def test_a_source_that_takes_long_to_read_stops_nobody_else(run_pure: RunPure) -> None:
    here = threading.get_ident()
    read: list[int] = []
    real = suitability.parsed

    def noting(source: str) -> ast.Module:
        read.append(threading.get_ident())
        return real(source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suitability, "parsed", noting)
        await run_pure("'no other test has this source'")
    assert read
    assert here not in read


async def test_a_limit_above_the_settings_is_cut(bubblewrap: Path) -> None:
    runner = PureRunner(bubblewrap, MontySettings(max_memory_bytes=2**20))
    result = await runner.run("x = 'a' * 2 ** 22", b"", Limits())
    await runner.close()
    assert result.status == "oom"


async def test_calls_within_calls_end_in_an_error_as_in_cpython(run_pure: RunPure) -> None:
    result = await run_pure("def f(): return f()\nf()")
    assert (result.status, result.exit_code) == ("error", 1)
    assert b"RecursionError" in result.stderr


async def test_what_the_interpreter_does_not_count_the_kernel_bounds(bubblewrap: Path) -> None:
    settings = MontySettings(process_bytes=256 * 2**20, max_memory_bytes=2**40)
    runner = PureRunner(bubblewrap, settings)
    result = await runner.run("x = 'a' * 2 ** 30", b"", Limits(memory_bytes=8 * 2**30))
    await runner.close()
    assert result.status in {"oom", "sandbox_error"}


async def test_nothing_of_a_run_is_there_in_the_next(run_pure: RunPure) -> None:
    await run_pure("left = 1")
    result = await run_pure("print(left)")
    assert result.exit_code == 1
    assert b"NameError" in result.stderr


async def test_cancelling_ends_the_process(pure: PureRunner) -> None:
    before = monties()
    run = asyncio.create_task(pure.run("while True: pass", b"", Limits()))
    await until(lambda: monties() - before)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await until(lambda: not monties() - before)


def monties() -> set[str]:
    """Processes of the interpreter, by process id."""
    found: set[str] = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"/monty\0subprocess" in entry.read_bytes():
                found.add(entry.parent.name)
        except OSError:
            continue
    return found


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def test_ready_ones_are_used_and_none_is_left_after_closing(bubblewrap: Path) -> None:
    before = monties()
    settings = MontySettings(pool=PoolSettings(min_ready=2, look_seconds=0.01, refill_delay_seconds=0))
    runner = PureRunner(bubblewrap, settings)
    runner.start()
    times: list[float] = []
    for _ in range(20):
        result = await runner.run("print(1)", b"", Limits())
        assert result.stdout == b"1\n"
        times.append(result.start_ms)
    await runner.close()
    await until(lambda: not monties() - before)
    print(f"median start {statistics.median(times):.2f} ms")
    assert statistics.median(times) < START_MS


async def test_killing_the_manager_ends_its_interpreters() -> None:
    before = monties()
    program = Path(__file__).with_name("pure_process.py")
    manager = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=subprocess.PIPE)
    assert manager.stdout
    assert await manager.stdout.readline() == b"running\n"
    await until(lambda: monties() - before)
    manager.kill()
    await manager.wait()
    await until(lambda: not monties() - before)


def test_the_folder_of_a_process_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    mine, other = new_folder(tmp_path), tmp_path / "raptorflow-monty-999999999-x"
    other.mkdir()
    assert new_folder(tmp_path).parent == tmp_path
    assert (mine.exists(), other.exists()) == (True, False)


async def test_the_probe_finds_walls_around_the_process(pure: PureRunner) -> None:
    report = await pure.probe()
    assert (report.available, report.boundary, report.missing) == (True, "interpreter", ())


WALL_LESS = f"""#!{sys.executable} -IS
import os, sys
words = sys.argv
program = words[words.index("/monty") - 1]
mark = words.index("--setenv")
os.environ[words[mark + 1]] = words[mark + 2]
os.execv(program, [program, *words[words.index("--") + 2:]])
"""


async def test_without_walls_the_tier_is_refused(tmp_path: Path) -> None:
    wall_less = tmp_path / "bwrap"
    wall_less.write_text(WALL_LESS)
    wall_less.chmod(0o700)
    runner = PureRunner(wall_less, MontySettings())
    report = await runner.probe()
    await runner.close()
    assert not report.available
    assert "not walled in: " in (report.problem or "")
    assert {"net", "mnt", "pid"} <= set((report.problem or "").partition(": ")[2].split(", "))


async def test_a_bubblewrap_that_does_not_work_is_refused_with_a_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    runner = PureRunner(broken, MontySettings())
    report = await runner.probe()
    await runner.close()
    assert (report.available, bool(report.problem), bool(report.remedy)) == (False, True, True)


async def test_the_vocabulary_is_what_the_interpreter_has(make_worker: MakeWorker) -> None:
    worker = await make_worker()
    imports = [
        f"from {module} import {name}"
        for module, names in MODULES.items()
        for name in sorted(names)
        if module != ABSTRACT
    ]
    await worker.run(["\n".join(imports)], {}, ALLOWED, Printed(1000))


async def test_a_builtin_that_is_said_to_be_missing_is_missing(make_worker: MakeWorker) -> None:
    worker = await make_worker()
    for name in sorted(MISSING_BUILTINS - {"open"}):
        with pytest.raises(Failure, match=f"'{name}' is not defined"):
            await worker.run([f"x = {name}"], {}, ALLOWED, Printed(1000))


def test_the_engine_is_the_only_one_that_imports_the_extra() -> None:
    code = "import sys, raptorflow.sandbox.drivers.monty.runner; print('pydantic_monty' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
    assert MontyWorker.__module__ == "raptorflow.sandbox.drivers.monty.engine"
