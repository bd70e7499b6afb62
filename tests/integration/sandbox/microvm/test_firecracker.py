"""The real Firecracker in its real jailer, as far as this machine's KVM lets it go."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from tests.support.microvm_parts import firecracker_programs

from raptorflow.sandbox.drivers.microvm.cells import Cell, Cells
from raptorflow.sandbox.drivers.microvm.disks import Disks
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.firecracker.jail import Jail
from raptorflow.sandbox.drivers.microvm.firecracker.monitor import FirecrackerGuest, FirecrackerMonitor
from raptorflow.sandbox.drivers.microvm.image.manifest import verify_image
from raptorflow.sandbox.drivers.microvm.kvm import kvm_lack
from raptorflow.sandbox.drivers.microvm.launch import launch
from raptorflow.sandbox.drivers.microvm.machine import Machine, machine_of
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]
FILE_BYTES = 64 * 1024 * 1024
SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.02


@pytest.fixture
def settings(parts: Path) -> MicroVmSettings:
    firecracker, jailer = firecracker_programs()
    return MicroVmSettings(
        folder=parts, monitor="firecracker", firecracker=firecracker, jailer=jailer, boot_seconds=5
    )


@pytest.fixture
def cells(settings: MicroVmSettings) -> Cells:
    return Cells(settings)


@pytest.fixture
def monitor(settings: MicroVmSettings, cells: Cells) -> FirecrackerMonitor:
    return FirecrackerMonitor(settings, cells.version)


@pytest.fixture
def machine(settings: MicroVmSettings, monitor: FirecrackerMonitor, make_spec: MakeSpec) -> Machine:
    disks = Disks(settings.place() / "disks", settings.cache_bytes)
    blueprint = blueprint_of(make_spec("print(1)"))
    return machine_of(blueprint, verify_image(settings.image()), disks, monitor.how, settings.overhead_bytes)


@pytest.fixture
async def cell(
    cells: Cells, machine: Machine, monitor: FirecrackerMonitor, make_spec: MakeSpec
) -> AsyncGenerator[Cell]:
    limits = machine.group_blueprint(blueprint_of(make_spec("")), monitor.own_bytes, monitor.own_tasks)
    yield cells.open("fire-test", limits, {"run": "test"})
    cells.remove("fire-test")
    cells.close()


@pytest.fixture
async def idle(settings: MicroVmSettings, cells: Cells, cell: Cell) -> AsyncGenerator[FirecrackerGuest]:
    """A Firecracker that answers and has no machine yet."""
    jail = Jail(cell, *firecracker_programs())
    jail.root.mkdir(parents=True)
    command = jail.command(cells.version, FILE_BYTES)
    monitored = await launch(cell, command, (), file_bytes=FILE_BYTES, as_root=True)
    guest = FirecrackerGuest(monitored, jail, 2)
    await guest.up()
    yield guest
    await guest.end()


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def groups_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text()


def network_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/net/dev").read_text().splitlines()


async def until_running() -> int:
    """The process of the machine, once it has given up its rights."""
    await until(jailed)
    return jailed()[0]


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


def jailed() -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if words.startswith(b"/firecracker\0") and b"raptorflow-microvm-fire-test" in words:
            found.append(int(entry.parent.name))
    return found


async def test_a_machine_is_jailed_set_up_and_started(
    monitor: FirecrackerMonitor, machine: Machine, cell: Cell
) -> None:
    if refused := await refusal_of_others(monitor, machine, cell):
        assert "root" in refused
        return
    starting = asyncio.create_task(monitor.start(machine, cell, None))
    pid = await until_running()
    status = status_of(pid)
    assert status["Uid"] == [str(cell.user)] * 4 == status["Gid"]
    assert status["NSpid"][-1] == "1"
    inside = set(os.listdir(f"/proc/{pid}/root"))
    assert inside >= {"kernel", "first", "disk0", "disk1", "api.socket"}
    assert "etc" not in inside
    if cell.group:
        assert "fire-test" in groups_of(pid)
        assert cell.group.usage().cpu_ms
    await until(lambda: status_of(pid)["Seccomp"] == ["2"])
    assert [line.split(":")[0].strip() for line in network_of(pid) if ":" in line] == ["lo"]
    assert os.readlink(f"/proc/{pid}/ns/ipc") != os.readlink("/proc/self/ns/ipc")
    if kvm_lack():
        with pytest.raises(SandboxStartFailed, match="not up after 5 s"):
            await starting
        assert jailed() == []
    else:
        guest = await starting
        assert await (await guest.channel()).read()
        await guest.end()


async def test_everything_of_a_machine_can_be_removed_by_another_manager(
    idle: FirecrackerGuest, settings: MicroVmSettings, cell: Cell
) -> None:
    other = Cells(settings)
    assert "fire-test" in other.found()
    await asyncio.to_thread(other.remove, "fire-test")
    assert "fire-test" not in other.found()
    assert jailed() == []
    assert not cell.folder.exists()
    assert not idle.alive
    assert not [link for link in os.listdir(settings.place() / "users") if link == str(cell.user)]


async def test_what_firecracker_refuses_is_told_in_its_words(idle: FirecrackerGuest) -> None:
    with pytest.raises(SandboxStartFailed, match="refused PUT /drives/d"):
        await idle.api.put(
            "/drives/d", drive_id="d", path_on_host="/none", is_root_device=False, is_read_only=True
        )
    with pytest.raises(SandboxStartFailed, match="refused PATCH /vm"):
        await idle.pause()
    with pytest.raises(SandboxStartFailed, match="refused PATCH /vm"):
        await idle.snapshot(Path("/nonexistent"))
    with pytest.raises(SandboxStartFailed, match="refused PUT /snapshot/load"):
        await idle.api.put("/snapshot/load", snapshot_path="/none", mem_backend={"backend_path": "/none"})


async def test_a_machine_that_is_gone_says_so(idle: FirecrackerGuest) -> None:
    await idle.end()
    await idle.end()
    assert not idle.alive


async def test_a_jailer_that_fails_is_told_with_what_it_said(
    settings: MicroVmSettings, machine: Machine, cell: Cell
) -> None:
    broken = settings.model_copy(update={"jailer": Path("/bin/false"), "boot_seconds": 20})
    with pytest.raises(SandboxStartFailed, match="jailer failed: it said nothing"):
        await FirecrackerMonitor(broken, 1).start(machine, cell, None)


async def test_a_probe_boots_a_guest_or_says_what_stands_in_the_way(settings: MicroVmSettings) -> None:
    driver = MicroVmDriver(settings.model_copy(update={"boot_seconds": 60}), SandboxSettings())
    report = await driver.probe()
    await driver.close()
    lack = kvm_lack()
    assert report.boundary == "virtual-machine"
    if lack:
        assert lack.problem in str(report.problem)
        assert report.remedy == lack.remedy
    else:
        assert report.available


@pytest.mark.parametrize("name", ["firecracker", "jailer"])
def test_a_missing_program_is_named_with_its_setting(settings: MicroVmSettings, name: str) -> None:
    lack = FirecrackerMonitor(settings.model_copy(update={name: Path("/none")}), 1).lacks()
    assert lack
    assert f"program {name} is not installed" in lack.problem
    assert lack.remedy == f"Set RAPTORFLOW_SANDBOX__MICROVM__{name.upper()} to its path"


@pytest.mark.parametrize(("version", "old"), [("v1.11.9", True), ("v1.12.0", False), ("v2.0.0", False)])
def test_an_old_firecracker_is_refused(
    settings: MicroVmSettings, tmp_path: Path, version: str, old: bool
) -> None:
    program = tmp_path / "firecracker"
    program.write_text(f"#!/bin/sh\necho 'Firecracker {version}'\n")
    program.chmod(0o755)
    lack = FirecrackerMonitor(settings.model_copy(update={"firecracker": program}), 1).lacks()
    assert (lack is not None and "too old" in lack.problem) == (old and os.geteuid() == 0)


async def refusal_of_others(monitor: FirecrackerMonitor, machine: Machine, cell: Cell) -> str | None:
    """For those who are not root: that they are refused, which is all there is to see."""
    if os.geteuid() == 0:
        return None
    with pytest.raises(SandboxStartFailed) as refused:
        await monitor.start(machine, cell, None)
    return refused.value.message
