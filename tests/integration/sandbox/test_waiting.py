"""A program that a waiting interpreter becomes cannot tell; and what it cannot become gets a new one."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.pools import READY_SECONDS, twice

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.errors import SandboxGone, SandboxSpecInvalid
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.running import supply
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

ABOUT = """
import json, os, sys
import __main__
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "name": __name__, "file": globals().get("__file__"),
    "names": sorted(set(vars(__main__)) - {"__annotations__", "__cached__"}), "cwd": os.getcwd(),
    "env": dict(os.environ), "agent": sorted(name for name in sys.modules if name.startswith("guest")),
    "stdin": sys.stdin.read(), "fds": sorted(os.listdir("/proc/self/fd")),
}, sort_keys=True))
"""
BROKEN = """
def fail():
    raise ValueError("no such thing")
fail()
"""


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncGenerator[SandboxManager]:
    """A manager that keeps sandboxes of what it has run once."""
    settings = {"allow_supervised": True, "state_dir": tmp_path / "state", "pool": {"min_ready": 1}}
    manager = build_manager(SandboxSettings.model_validate(settings))
    yield manager
    await manager.close()


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    skill = tmp_path / "skill"
    skill.mkdir()
    (skill / "about.py").write_text(ABOUT)
    (skill / "broken.py").write_text(BROKEN)
    (skill / "beside.py").write_text("VALUE = 7\n")
    (skill / "uses.py").write_text("import beside, sys\nprint(beside.VALUE)\nsys.exit(5)\n")
    return SandboxSpec(("python", "about.py", "a", "b"), skill, sandbox_python(), stdin=b"given")


@pytest.mark.parametrize(
    "command",
    [
        ("python", "about.py", "a", "b"),
        ("python", "-c", ABOUT, "x"),
        ("python", "broken.py"),
        ("python", "uses.py"),
        ("python", "missing.py"),
        ("python", "-c", "def"),
        ("python", "-c", "import sys; sys.exit('bye')"),
        ("python", "-c", "import os; os.kill(os.getpid(), 11)"),
        ("python", "-c", "import threading; threading.Thread(target=lambda: print('late')).start()"),
        ("python", "-c", "import atexit; atexit.register(print, 'at the end')"),
        ("python", "-I", "-c", "import sys; print(sys.flags.isolated)"),
        ("python", "-m", "json.tool"),
        ("sh", "-c", "cat; echo $HOME"),
    ],
)
async def test_a_program_is_the_same_in_a_sandbox_that_was_kept_ready(
    warm: SandboxManager, spec: SandboxSpec, command: tuple[str, ...]
) -> None:
    cold, ready = await twice(warm, replace(spec, command=command))
    assert (ready.status, ready.exit_code, ready.signal) == (cold.status, cold.exit_code, cold.signal)
    assert ready.stdout.decode() == cold.stdout.decode()
    assert ready.stderr.decode() == cold.stderr.decode()


@pytest.mark.parametrize(
    ("code", "env", "said"),
    [
        (
            "import sys; print(sys.flags.hash_randomization, sys.flags.utf8_mode)",
            {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            "0 1",
        ),
        ("import time; print(time.tzname[0], time.localtime(0).tm_hour)", {"TZ": "XYZ-9"}, "XYZ 9"),
    ],
    ids=["interpreter", "time-zone"],
)
async def test_what_is_read_at_the_start_wants_a_new_interpreter(
    warm: SandboxManager, spec: SandboxSpec, code: str, env: dict[str, str], said: str
) -> None:
    cold, ready = await twice(warm, replace(spec, command=("python", "-c", code), env=env))
    assert (cold.stdout.decode(), ready.stdout.decode()) == (f"{said}\n", f"{said}\n")


async def test_so_does_what_the_loader_reads(warm: SandboxManager, spec: SandboxSpec) -> None:
    told = replace(spec, command=("python", "-c", "pass"), env={"LD_DEBUG": "statistics"})
    for result in await twice(warm, told):
        assert b"runtime linker statistics" in result.stderr


async def test_a_command_that_is_too_long_is_refused_by_both(warm: SandboxManager, spec: SandboxSpec) -> None:
    await twice(warm, spec)
    for _ in range(2):
        with pytest.raises(SandboxSpecInvalid, match="at most"):
            await warm.run(replace(spec, command=("python", "about.py", "x" * 70_000)))


async def test_each_is_used_once(warm: SandboxManager, spec: SandboxSpec) -> None:
    code = "import os; print(os.path.exists('x')); open('x', 'w')"
    marked = replace(spec, command=("python", "-c", code))
    _, first = await twice(warm, marked)
    _, second = await twice(warm, marked)
    assert (first.stdout, second.stdout) == (b"False\n", b"False\n")


@pytest.mark.parametrize("hangs", [False, True], ids=["fails", "hangs"])
async def test_what_is_made_ahead_and_does_not_wait_is_removed(
    spec: SandboxSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    tried = asyncio.Event()

    async def broken(*_: object) -> None:
        tried.set()
        if hangs:
            await asyncio.Event().wait()
        raise SandboxGone("The interpreter did not start.")

    monkeypatch.setattr(supply, "wait_in", broken)
    driver = LocalDriver(SandboxSettings(allow_supervised=True, state_dir=tmp_path / "state"))
    kept = PoolSettings(min_ready=1, spare_memory_bytes=0, look_seconds=0.05)
    source = supply.Supply(driver, kept, 20, 512)
    sandbox, _ = await source.take(blueprint_of(spec), {})
    await asyncio.wait_for(tried.wait(), READY_SECONDS)
    await sandbox.destroy()
    await source.close()
    assert await driver.list() == []
    await driver.close()
