"""What managers leave that die without a machine, or while they make one, is removed by the next one."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorflow.sandbox.cgroups.detect import find_groups
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.microvm.cells import Cells
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.skills.capabilities import Limits

HOLDS = """
import signal, sys
from pathlib import Path
from raptorflow.sandbox.drivers.microvm.cells import Cells
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
Cells(MicroVmSettings(folder=Path(sys.argv[1]))).version
print("up", flush=True)
signal.pause()
"""
MANAGER = "raptorflow-microvm-manager"
NOBODYS = 2**22 + 1
LIMITS = Blueprint(Limits(), (), Path("/"), reach=False, workspace_bytes=0)


@pytest.fixture
def cells(tmp_path: Path) -> Iterator[Cells]:
    made = Cells(MicroVmSettings(folder=tmp_path))
    yield made
    made.close()


def groups_named(beginning: str) -> list[Path]:
    walk = os.walk("/sys/fs/cgroup")
    return [Path(top) / name for top, names, _ in walk for name in names if name.startswith(beginning)]


def started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


async def holder(folder: Path) -> asyncio.subprocess.Process:
    """A manager that has its groups and no machine."""
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert made.stdout
    assert await made.stdout.readline() == b"up\n"
    return made


async def test_groups_of_a_manager_that_was_killed_without_a_machine_are_removed(
    tmp_path: Path, cells: Cells
) -> None:
    killed, living = await holder(tmp_path), await holder(tmp_path)
    of_killed, of_living = (groups_named(f"{MANAGER}-{each.pid}-") for each in (killed, living))
    assert bool(of_killed) == bool(cells.version)
    killed.kill()
    await killed.wait()
    cells.reap()
    left = [groups_named(f"{MANAGER}-{each.pid}-") for each in (killed, living)]
    living.kill()
    await living.wait()
    assert left == [[], of_living]
    cells.reap()


def test_what_still_runs_in_a_dead_managers_group_is_ended(cells: Cells) -> None:
    # As if our own number had been another's before.
    groups = find_groups(f"{MANAGER}-{os.getpid()}-1-00000000")
    left = subprocess.Popen(["sleep", "60"])
    if groups:
        groups.make("left", LIMITS).add(left.pid)
        cells.reap()
    ended = left.poll()
    left.kill()
    left.wait()
    assert ended == (-signal.SIGKILL if groups else None)
    assert groups_named(f"{MANAGER}-{os.getpid()}-1-") == []


@pytest.mark.parametrize("how", ["its process is seen", "only its lock is seen"])
def test_groups_of_a_living_manager_stay(cells: Cells, how: str) -> None:
    seen = how == "its process is seen"
    who = f"{os.getpid()}-{started(os.getpid())}" if seen else f"{NOBODYS}-1"
    groups = find_groups(f"{MANAGER}-{who}-00000000")
    folders = groups.folders if groups else ()
    locks = [os.open(folder, os.O_RDONLY) for folder in folders]
    for lock in locks if not seen else ():
        fcntl.flock(lock, fcntl.LOCK_EX)
    cells.reap()
    stayed = [folder for folder in folders if folder.exists()]
    for lock in locks:
        os.close(lock)
    for folder in stayed:
        folder.rmdir()
    assert stayed == list(folders)


def test_a_folder_without_a_note_is_removed_when_nobody_makes_it_any_more(
    tmp_path: Path, cells: Cells
) -> None:
    old, new, half = (tmp_path / "machines" / name for name in ("old", "new", "half"))
    for folder in (old, new, half):
        folder.mkdir(parents=True)
    (half / "note.json").write_text('{"grou')
    an_hour_ago = time.time() - 3600
    for folder in (old, half):
        os.utime(folder, (an_hour_ago, an_hour_ago))
    assert cells.reap() == 2
    assert cells.found() >= {"new"}
    assert not {"old", "half"} & cells.found()
