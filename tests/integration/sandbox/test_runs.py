"""What a skill finds inside, and what comes back."""

import hashlib
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.result import SandboxResult

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
MIB = 1024 * 1024


async def test_input_goes_in_and_output_comes_out(run_code: RunCode) -> None:
    data = os.urandom(3 * MIB)
    code = (
        "import hashlib, sys\ndata = sys.stdin.buffer.read()\n"
        "print(len(data), hashlib.sha256(data).hexdigest())\nprint('to stderr', file=sys.stderr)"
    )
    result = await run_code(code, stdin=data)
    assert result.stdout.decode() == f"{len(data)} {hashlib.sha256(data).hexdigest()}\n"
    assert result.stderr == b"to stderr\n"
    assert (result.status, result.exit_code, result.signal, result.message) == ("ok", 0, None, None)


async def test_a_result_says_what_was_used(run_code: RunCode, sandbox: SandboxManager) -> None:
    result = await run_code("x = bytearray(b'x' * (40 << 20)); import time; time.sleep(0.2)")
    assert 0 < result.start_ms < 10_000
    assert 200 <= result.wall_ms < 10_000
    assert (result.peak_memory_bytes or 0) > 40 * MIB
    assert result.driver == "local"
    assert result.weakened == (await sandbox.probe())[0].weakened


async def test_a_large_output_is_whole(run_code: RunCode) -> None:
    result = await run_code("import sys; sys.stdout.write('abcdefgh' * (700 << 10))")
    assert result.stdout == b"abcdefgh" * (700 << 10)
    assert not result.stdout_truncated


@pytest.mark.parametrize(("code", "status", "exit_code", "signal"), [
    ("import sys; sys.exit(3)", "error", 3, None),
    ("1/0", "error", 1, None),
    ("import sys; sys.exit(137)", "error", 137, None),
    ("import sys; sys.exit(152)", "error", 152, None),
    ("import sys; sys.exit(153)", "error", 153, None),
    ("from signal import *; signal(SIGXFSZ, SIG_DFL); raise_signal(SIGXFSZ)", "disk_full", None, None),
    ("import os; os.kill(os.getpid(), 11)", "signal", None, "SIGSEGV"),
    ("import os; os.abort()", "signal", None, "SIGABRT"),
    ("import os; os.kill(os.getpid(), 9)", "signal", None, "SIGKILL"),
])  # fmt: skip
async def test_an_end_is_told_as_it_was(
    run_code: RunCode, code: str, status: str, exit_code: int | None, signal: str | None
) -> None:
    result = await run_code(code)
    assert (result.status, result.exit_code, result.signal) == (status, exit_code, signal)


async def test_a_full_workspace_is_told_beside_inputs_too(run_code: RunCode, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(bytes(3 * MIB + 1))
    code = "open('x', 'wb').write(bytes(6 << 20))"
    result = await run_code(code, inputs={"data": data}, limits={"disk_bytes": 2 * MIB})
    assert result.status == "disk_full", result


async def test_a_program_that_is_not_there_is_an_error(run_code: RunCode) -> None:
    result = await run_code("", command=("no-such-program", "x"))
    assert (result.status, result.exit_code) == ("error", 127)
    assert b"no-such-program" in result.stderr


async def test_any_language_of_the_system_can_be_called(run_code: RunCode) -> None:
    result = await run_code("", command=("sh", "-c", 'echo "$1 $HOME"', "sh", "a b  c"))
    assert result.stdout == b"a b  c /workspace\n"


async def test_the_skills_files_are_found_by_their_name(run_code: RunCode, tmp_path: Path) -> None:
    scripts = tmp_path / "skill" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "main.py").write_text("import helper, os, sys; print(helper.X, os.getcwd(), sys.argv[1:])")
    (scripts / "helper.py").write_text("X = 'sibling'")
    tool = tmp_path / "skill" / "tool.sh"
    tool.write_text("#!/bin/sh\necho ran")
    tool.chmod(0o755)
    result = await run_code("", command=("python", "scripts/main.py", "one", "../two"))
    assert result.stdout == b"sibling /workspace ['one', '../two']\n"
    assert (await run_code("", command=("tool.sh",))).stdout == b"ran\n"


async def test_inputs_are_read_only_files_of_their_names(run_code: RunCode, tmp_path: Path) -> None:
    private = tmp_path / "private" / "data.csv"
    private.parent.mkdir(mode=0o700)
    private.write_text("a,b\n1,2\n")
    private.chmod(0o600)
    code = (
        "import os\nprint(sorted(os.listdir('/workspace/in')))\nprint(open('in/ünïcode name.csv').read())\n"
        "for path in ('in/ünïcode name.csv',):\n"
        " try: open(path, 'w'); print('written')\n except OSError: print('refused')"
    )
    result = await run_code(code, inputs={"ünïcode name.csv": private})
    assert result.stdout.decode() == "['ünïcode name.csv']\na,b\n1,2\n\nrefused\n"
    assert private.read_text() == "a,b\n1,2\n"


async def test_the_helper_can_be_imported_without_an_environment(run_code: RunCode) -> None:
    result = await run_code("import raptorflow_skill; print(raptorflow_skill.__file__)")
    assert result.stdout == b"/opt/raptorflow/raptorflow_skill/__init__.py\n"


async def test_an_environment_is_used_and_cannot_be_written(run_code: RunCode, env: Path) -> None:
    code = (
        "import made_up, raptorflow_skill, sys\nprint(made_up.NAME, sys.prefix)\n"
        "try: open('/env/x', 'w')\nexcept OSError as error: print(error.errno)"
    )
    result = await run_code(code, env_dir=env)
    assert result.stdout == b"from the environment /env\n30\n"


async def test_variables_are_a_list_of_our_own(run_code: RunCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_CANARY", "x")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    result = await run_code(code, env={"MODE": "fast =1", "PATH": "/workspace", "PYTHONPATH": "/workspace"})
    variables = json.loads(result.stdout)
    assert variables.pop("MODE") == "fast =1"
    assert variables.pop("PATH") == "/usr/bin:/bin"
    assert variables.pop("PYTHONPATH") == "/opt/raptorflow"
    assert set(variables) <= {
        "HOME", "LANG", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PWD", "RAPTORFLOW_RUN",
        "USER", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
    }  # fmt: skip


async def test_artefacts_come_out_also_of_a_run_that_failed(run_code: RunCode, tmp_path: Path) -> None:
    code = "import os, sys; os.makedirs('out/a'); open('out/a/part.json', 'w').write('{}'); sys.exit(1)"
    result = await run_code(code)
    assert result.status == "error"
    assert [(artifact.name, artifact.size) for artifact in result.artifacts] == [("a/part.json", 2)]
    assert (tmp_path / "artifacts" / "a" / "part.json").read_text() == "{}"


async def test_without_a_place_for_them_artefacts_are_left(run_code: RunCode) -> None:
    result = await run_code("open('out/x', 'w').write('x')", artifacts_dir=None)
    assert (result.status, result.artifacts) == ("ok", ())


@pytest.mark.parametrize("code", [
    "import asyncio, subprocess, sys\n"
    "async def main():\n"
    " child = await asyncio.create_subprocess_exec('echo', '5', stdout=subprocess.PIPE)\n"
    " print((await child.communicate())[0].decode().strip())\n"
    "asyncio.run(main())",
    "import multiprocessing; print(multiprocessing.Pool(2).map(abs, [-5])[0])",
    "import concurrent.futures as f; print(f.ThreadPoolExecutor(4).submit(abs, -5).result())",
    "import sqlite3; print(sqlite3.connect('x.db').execute('select 5').fetchone()[0])",
    "import tempfile; f = tempfile.NamedTemporaryFile('w+'); f.write('5'); f.seek(0); print(f.read())",
    "from multiprocessing.shared_memory import SharedMemory as S; S(create=True, size=9).unlink(); print(5)",
    "import mmap; m = mmap.mmap(-1, 4096); m[0] = 5; print(m[0])",
    "import signal; signal.setitimer(signal.ITIMER_REAL, 9); print(5)",
    "import os; r, w = os.pipe(); os.write(w, b'5'); print(os.read(r, 1).decode())",
    "import getpass; print(5 if getpass.getuser() == 'nobody' else 'who?')",
])  # fmt: skip
async def test_what_ordinary_programs_do_works(run_code: RunCode, code: str) -> None:
    result = await run_code(code)
    assert result.stdout == b"5\n", result.stderr
