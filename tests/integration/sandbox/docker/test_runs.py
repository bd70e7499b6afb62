"""Whole runs through the docker driver: every limit bites and is called by its name."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.docker_engine import LIMITS

from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
EVERYTHING = "kept = []\nwhile True: kept.append(b'x' * 1048576)"
FILES = "for number in range(10**6): open(f'/workspace/{number}', 'w').close()"
FORKS = "import os, time\nwhile os.fork(): pass\ntime.sleep(20)"
SHARED = "file = open('/dev/shm/x', 'wb')\nwhile True: file.write(b'x' * 1048576)"


@pytest.fixture
def run_code(driver: DockerDriver, tmp_path: Path) -> RunCode:
    """Run Python code in a sandbox of its own, under small limits."""
    (tmp_path / "skill").mkdir()

    async def run(code: str, **limits: float) -> SandboxResult:
        spec = SandboxSpec(
            command=("python", "-c", code),
            skill_dir=tmp_path / "skill",
            python=sandbox_python(),
            artifacts_dir=tmp_path / "artifacts",
            limits=LIMITS.model_copy(update=limits),
            stdin=b"given",
        )
        return await run_once(driver, spec, settings=SandboxSettings())

    return run


async def test_a_run_has_its_input_output_and_files(run_code: RunCode) -> None:
    result = await run_code("import sys; open('out/note.txt', 'w').write(sys.stdin.read()); print('done')")
    assert (result.status, result.stdout, result.stderr) == ("ok", b"done\n", b"")
    assert [(one.name, one.path.read_text()) for one in result.artifacts] == [("note.txt", "given")]
    assert result.cpu_ms is not None
    assert result.peak_memory_bytes is not None


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (EVERYTHING, "oom"),
        # Neither its disk nor what the kernel would end it for: its own error says what it was.
        (SHARED, "error"),
        ("open('/workspace/x', 'wb').write(bytes(9 * 1024 * 1024))", "disk_full"),
        (FILES, "disk_full"),
        (FORKS, "pids"),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "output_limit"),
        ("raise SystemExit(3)", "error"),
        ("import os; os.kill(os.getpid(), 11)", "signal"),
    ],
    ids=["memory", "shared-memory", "disk", "inodes", "processes", "output", "exit", "signal"],
)
async def test_how_a_run_ends_is_called_by_its_name(run_code: RunCode, code: str, status: str) -> None:
    result = await run_code(code, output_bytes=MIB)
    assert result.status == status, result


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(60)"], ids=["busy", "asleep"])
async def test_the_clock_ends_a_run(run_code: RunCode, code: str) -> None:
    assert (await run_code(code, timeout_seconds=0.5)).status == "timeout"


async def test_a_run_gets_no_more_of_the_processor_than_its_share(run_code: RunCode) -> None:
    code = (
        "import time\nbegan, spent = time.monotonic(), time.process_time()\n"
        "while time.monotonic() - began < 1: pass\n"
        "print((time.process_time() - spent) / (time.monotonic() - began))"
    )
    assert float((await run_code(code, cpus=0.25)).stdout) < 0.4


async def test_what_a_program_started_and_left_ends_with_it(run_code: RunCode) -> None:
    code = (
        "import os, signal, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    time.sleep(60)\n"
        "print('left')"
    )
    result = await run_code(code)
    assert (result.status, result.stdout) == ("ok", b"left\n")
