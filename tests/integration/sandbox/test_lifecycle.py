"""However a run or its manager ends, nothing of it is left."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.support.descriptors import open_descriptors, opened_since
from tests.support.traces import processes

from raptorflow.sandbox.drivers.local.leftovers import PREFIX, state_folder
from raptorflow.sandbox.drivers.local.processes import descendants
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
MakeSpec = Callable[..., SandboxSpec]
PROGRAM = Path(__file__).with_name("manager_process.py")
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.02
SLEEP_SECONDS = 600
SLEEP = f"import time; time.sleep({SLEEP_SECONDS})"
IS_ROOT = os.geteuid() == 0


def groups_of(pid: int) -> list[Path]:
    """Control groups that a manager in this process has."""
    walk = os.walk("/sys/fs/cgroup")  # unlike a glob, it does not mind what disappears meanwhile
    return [Path(top, name) for top, names, _ in walk for name in names if name.startswith(f"{PREFIX}{pid}-")]


def runs_held() -> list[Path]:
    """Groups of runs that this process's managers have not removed."""
    return [run for group in groups_of(os.getpid()) for run in group.iterdir() if run.is_dir()]


def settings_of(folder: Path, **changes: object) -> SandboxSettings:
    """No sandbox is kept ready: what is left over shows."""
    given = {"pool": NONE_READY, "allow_supervised": True, "state_dir": folder / "state"}
    return SandboxSettings.model_validate({**given, **changes})


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def test_a_cancelled_run_ends_its_processes(run_code: RunCode, tmp_path: Path) -> None:
    mark = f"cancelled-{tmp_path.name}"
    before = open_descriptors()
    running = asyncio.create_task(run_code(f"mark = {mark!r}\n{SLEEP}"))
    await until(lambda: processes(mark))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert processes(mark) == []
    assert not opened_since(before)


async def test_a_run_can_be_cancelled_at_any_moment(run_code: RunCode, tmp_path: Path) -> None:
    mark = f"early-{tmp_path.name}"
    before = open_descriptors()
    for step in range(40):
        running = asyncio.create_task(run_code(f"mark = {mark!r}\n{SLEEP}"))
        await asyncio.sleep(step / 1000)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert processes(mark) == []
    assert not opened_since(before)
    assert runs_held() == []


async def test_runs_leave_no_descriptor_child_or_group(run_code: RunCode) -> None:
    await run_code("print(1)")
    before = open_descriptors()
    results = [await run_code("print(1)") for _ in range(10)]
    results += [await run_code("while True: print('x' * 999)", limits={"output_bytes": 5000})]
    results += [await run_code(SLEEP, limits={"timeout_seconds": 0.1})]
    assert [result.status for result in results] == ["ok"] * 10 + ["output_limit", "timeout"]
    assert not opened_since(before)
    assert [pid for pid in descendants(os.getpid()) if "bwrap" in _name(pid)] == []
    assert runs_held() == []


async def test_a_run_that_cannot_even_be_described_leaves_nothing(run_code: RunCode, tmp_path: Path) -> None:
    env = tmp_path / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python").symlink_to(tmp_path / "nowhere" / "bin" / "python")
    before = open_descriptors()
    with pytest.raises(SandboxUnavailable, match="not part of a Python installation"):
        await run_code("print(1)", env_dir=env)
    assert not opened_since(before)
    assert runs_held() == []


async def test_only_so_many_run_at_once(make_spec: MakeSpec, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, max_concurrent=2, queue={"tenant_running": 2})
    manager = build_manager(settings)
    mark = f"crowd-{tmp_path.name}"
    spec = make_spec(f"mark = {mark!r}\nimport time; time.sleep(0.2)")
    most = 0
    running = asyncio.gather(*(manager.run(spec) for _ in range(6)))
    while not running.done():
        inside = {pid for pid in processes(mark) if "python" in _name(pid)}
        most = max(most, len(inside))
        await asyncio.sleep(POLL_SECONDS)
    assert [result.status for result in await running] == ["ok"] * 6
    assert most == 2
    await manager.close()


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.3])
async def test_a_killed_manager_takes_its_sandboxes_with_it(tmp_path: Path, moment: float) -> None:
    """And the next one removes the groups that it could not."""
    mark = f"killed-{tmp_path.name}"
    state = tmp_path / "state"
    command = [sys.executable, str(PROGRAM), str(state), str(tmp_path), f"mark = {mark!r}\n{SLEEP}"]
    victim = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert victim.stdout
    await victim.stdout.readline()
    await asyncio.sleep(moment)
    victim.kill()
    await victim.communicate()
    assert bool(groups_of(victim.pid)) == IS_ROOT
    await until(lambda: not processes(mark))
    next_one = build_manager(SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=state))
    await next_one.probe()
    assert groups_of(victim.pid) == []
    assert len(os.listdir(state)) == 1
    await next_one.close()
    assert os.listdir(state) == []


def test_as_a_containers_first_process_it_reaps_what_is_handed_to_it(tmp_path: Path) -> None:
    """A subreaper is handed orphans as pid 1 of a container is."""
    code = (
        "import ctypes, os, runpy, sys\n"
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\nsys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "print('children', open(f'/proc/self/task/{os.getpid()}/children').read().split())"
    )
    arguments = [str(PROGRAM), str(tmp_path / "state"), str(tmp_path), "print(1)"]
    told = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=True, timeout=SETTLE_SECONDS * 3
    )
    assert told.stdout.splitlines()[-1] == b"children []"


def test_a_program_that_just_ends_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), str(tmp_path / "state"), str(tmp_path), "print(1)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout
        assert b'"status": "ok"' in program.stdout.read()
        program.wait()
    assert groups_of(program.pid) == []
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_manager_whose_groups_were_taken_away_makes_new_ones(
    make_spec: MakeSpec, tmp_path: Path
) -> None:
    manager = build_manager(settings_of(tmp_path))
    before = set(groups_of(os.getpid()))
    assert (await manager.run(make_spec("print(1)"))).status == "ok"
    for group in set(groups_of(os.getpid())) - before:
        group.rmdir()
    statuses = [(await manager.run(make_spec("print(1)"))).status for _ in range(2)]
    # The first run is refused, never run without its limits.
    assert statuses == (["sandbox_error", "ok"] if IS_ROOT else ["ok", "ok"])
    await manager.close()


def test_it_works_in_the_servers_event_loop(make_spec: MakeSpec, tmp_path: Path) -> None:
    async def main() -> list[SandboxResult]:
        manager = build_manager(settings_of(tmp_path))
        specs = [make_spec("print(1)"), make_spec(SLEEP, limits={"timeout_seconds": 0.2})]
        results = await asyncio.gather(*(manager.run(spec) for spec in specs))
        await manager.close()
        return list(results)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(main())
    assert [(result.status, result.stdout) for result in results] == [("ok", b"1\n"), ("timeout", b"")]


async def test_the_time_limit_is_kept_within_reason(run_code: RunCode) -> None:
    began = time.monotonic()
    result = await run_code(SLEEP, limits={"timeout_seconds": 0.5})
    assert result.status == "timeout"
    assert "0.5 s" in (result.message or "")
    # Not before it is up; and long before the program would have ended by itself.
    assert 0.5 <= time.monotonic() - began < SLEEP_SECONDS / 2


def test_notes_are_kept_where_only_their_owner_may_look() -> None:
    folder = state_folder(SandboxSettings())
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.stat().st_uid == os.geteuid()


async def test_memory_and_workspace_are_two_limits(run_code: RunCode, sandbox: SandboxManager) -> None:
    """Files live in memory too, and still count against the disk alone."""
    mib = 1024 * 1024
    code = (
        "import os\nopen('big', 'wb').write(bytes(100 << 20))\n"
        "kept = bytearray(os.urandom(1 << 20)) * 40\nprint(len(kept))"
    )
    limits = {"memory_bytes": 64 * mib, "disk_bytes": 128 * mib}
    result = await run_code(code, limits=limits)
    assert (result.status, result.stdout) == ("ok", b"41943040\n"), result
    hog = "import time\nkept = bytearray(b'x' * (1 << 20)) * 110\ntime.sleep(5)"
    assert (await run_code(hog, limits=limits)).status == "oom"
    assert (await sandbox.probe())[0].available
