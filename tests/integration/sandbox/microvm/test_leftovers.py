"""However a machine or its manager ends, nothing of it is left."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import Blueprint, Handle
from raptorflow.sandbox.drivers.microvm.cells import PREFIX, Cells
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

MakeSpec = Callable[..., SandboxSpec]
PROGRAM = Path(__file__).with_name("manager_process.py")
SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.02


def processes() -> list[int]:
    """Of machines, those that this session's other tests do not have."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if f"{PREFIX}orphan".encode() in words and str(os.getpid()) != entry.parent.name:
            found.append(int(entry.parent.name))
    return found


def groups_of(pid: int) -> list[str]:
    walk = os.walk("/sys/fs/cgroup")
    return [name for _, names, _ in walk for name in names if name.startswith(f"{PREFIX}manager-{pid}-")]


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def end_of(driver: MicroVmDriver, handle: Handle) -> str:
    """What the driver says of a machine that has ended."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            await driver.channel(handle)
        except SandboxGone as gone:
            return gone.message
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


@pytest.mark.verify
async def test_a_killed_manager_takes_its_machines_along_and_the_rest_can_be_removed(
    parts: Path, tmp_path: Path
) -> None:
    manager = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), str(parts), str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert manager.stdout
    assert await manager.stdout.readline() == b"up\n"
    assert processes()
    manager.kill()
    await manager.wait()
    await until(lambda: not processes())
    other = MicroVmDriver(MicroVmSettings(folder=parts, monitor="qemu"), SandboxSettings())
    left = [handle for handle in await other.list() if handle.sandbox_id == "orphan"]
    assert len(left) == 1
    await other.destroy(left[0])
    await other.destroy(left[0])
    assert [handle for handle in await other.list() if handle.sandbox_id == "orphan"] == []
    assert groups_of(manager.pid) == []
    await other.close()


@pytest.mark.verify
async def test_a_machine_whose_channel_is_closed_ends_by_itself(
    driver: MicroVmDriver, make_spec: MakeSpec
) -> None:
    handle = await driver.create(blueprint_of(make_spec("")), "orphan-closed", {})
    link = Link(await driver.channel(handle))
    await link.open()
    await link.close()
    assert "has ended" in await end_of(driver, handle)
    assert processes() == []
    await driver.stats(handle)
    await driver.destroy(handle)
    with pytest.raises(SandboxGone, match="destroyed"):
        await driver.channel(handle)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"qemu": Path("/bin/false")}, "ended before its agent was started"),
        ({"qemu": Path("/none")}, "QEMU is not installed"),
        ({"qemu": Path("/bin/cat"), "boot_seconds": 0.2}, "ended before|was not up after 0.2 s"),
    ],
)
async def test_a_start_that_fails_leaves_nothing(
    parts: Path, make_spec: MakeSpec, change: dict[str, object], says: str
) -> None:
    settings = MicroVmSettings(folder=parts, monitor="qemu").model_copy(update=change)
    driver = MicroVmDriver(settings, SandboxSettings())
    with pytest.raises(SandboxStartFailed, match=says):
        await driver.create(blueprint_of(make_spec("")), "orphan-failed", {})
    assert [handle for handle in await driver.list() if "failed" in handle.sandbox_id] == []
    before = len(groups_of(os.getpid()))
    await driver.close()
    assert len(groups_of(os.getpid())) < before or before == 0


async def test_a_start_that_is_cancelled_leaves_nothing(parts: Path, make_spec: MakeSpec) -> None:
    driver = MicroVmDriver(MicroVmSettings(folder=parts, monitor="qemu"), SandboxSettings())
    starting = asyncio.create_task(driver.create(blueprint_of(make_spec("")), "orphan-cancelled", {}))
    await until(processes)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert processes() == []
    assert [handle for handle in await driver.list() if "cancelled" in handle.sandbox_id] == []
    await driver.close()


DIES = """
import os, sys
from pathlib import Path
from raptorflow.sandbox.driver import Blueprint, Handle
from raptorflow.sandbox.driver import Blueprint, Handle
from raptorflow.sandbox.drivers.microvm.cells import Cells
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.skills.capabilities import Limits
blueprint = Blueprint(Limits(), (), Path("/usr/bin/python3"), False, 0)
print(Cells(MicroVmSettings(folder=Path(sys.argv[1]))).open("orphan-cell", blueprint, {}).folder)
sys.stdout.flush()
os._exit(9)
"""


async def test_what_a_dead_manager_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    folder = tmp_path / "microvm"
    dying = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(folder), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await dying.communicate()
    assert "orphan-cell" in said.decode()
    cells = Cells(MicroVmSettings(folder=folder))
    assert cells.found() >= {"orphan-cell"}
    limits = Blueprint(Limits(), (), Path("/usr/bin/python3"), reach=False, workspace_bytes=0)
    cells.open("orphan-alive", limits, {})
    assert cells.reap() == 1
    assert cells.reap() == 0
    assert cells.found() >= {"orphan-alive"}
    assert "orphan-cell" not in cells.found()
    assert groups_of(dying.pid) == []
    cells.remove("orphan-alive")
    cells.close()


@pytest.mark.parametrize("name", ["../up", "", "a b", "x" * 41])
async def test_an_unsafe_name_is_refused(parts: Path, make_spec: MakeSpec, name: str) -> None:
    driver = MicroVmDriver(MicroVmSettings(folder=parts, monitor="qemu"), SandboxSettings())
    with pytest.raises(SandboxStartFailed, match="cannot name a machine"):
        await driver.create(blueprint_of(make_spec("")), name, {})
    await driver.close()
