"""From a blueprint to a machine and its plan."""

from pathlib import Path

import pytest
from tests.unit.sandbox.microvm.erofs_reader import read_erofs

from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.microvm.disks import Disks
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, Manifest
from raptorflow.sandbox.drivers.microvm.machine import MOST_MOUNTS, PORT_DEVICE, Machine, machine_of
from raptorflow.sandbox.drivers.microvm.qemu.command import Opened, qemu_command
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.interpreter import Mount
from raptorflow.skills.capabilities import MIB, Limits


def blueprint(*mounts: Mount, cpus: float = 1.5) -> Blueprint:
    limits = Limits(memory_bytes=128 * MIB, cpus=cpus, pids=7, disk_bytes=8 * MIB)
    return Blueprint(limits, mounts, Path("/usr/bin/python3"), reach=False, workspace_bytes=32 * MIB)


def machine(tmp_path: Path, *mounts: Mount) -> Machine:
    image = Image(folder=tmp_path, manifest=Manifest(python="3.11", files={}, packages=()))
    disks = Disks(tmp_path / "disks", 64 * MIB)
    return machine_of(blueprint(*mounts), image, disks, PORT_DEVICE, 100 * MIB)


def test_a_machine_has_room_for_programs_files_and_a_kernel(tmp_path: Path) -> None:
    made = machine(tmp_path)
    # Programs, workspace, /tmp, the agent, and what the kernel gets.
    assert made.memory_bytes == (128 + 32 + 8 + 16 + 100) * MIB
    assert (made.processors, made.cpus) == (2, 1.5)


def test_the_plan_names_limits_mounts_and_the_agent(tmp_path: Path) -> None:
    skill = tmp_path / "my skill"
    skill.mkdir()
    made = machine(tmp_path, Mount(skill, Path("/skill")))
    plan = read_erofs(made.disks[1].file.read_bytes())["plan"].content.decode().splitlines()
    assert {"channel port", "pids 8", f"workspace {32 * MIB}", f"scratch {8 * MIB}", "reach 0"} <= set(plan)
    assert f"mount {made.disks[2].label} folder /skill" in plan
    arguments = [line for line in plan if line.startswith("argument ")]
    assert arguments[0] == "argument /usr/bin/python3"
    assert f"argument {PORT_DEVICE}" in arguments


def test_a_folder_that_is_shown_twice_is_one_disk(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    made = machine(tmp_path, Mount(tmp_path / "f", Path("/skill")), Mount(tmp_path / "f", Path("/env")))
    assert len(made.disks) == 3


@pytest.mark.parametrize(
    "target", ["/usr", "/", "/workspace", "relative", "/a\nmount x folder /etc", "/skill/in"]
)
def test_a_place_that_is_the_guests_own_is_refused(tmp_path: Path, target: str) -> None:
    with pytest.raises(SandboxUnavailable, match="can be shown"):
        machine(tmp_path, Mount(tmp_path, Path("/skill")), Mount(tmp_path, Path(target)))


def test_more_folders_than_a_machine_has_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match=f"takes {MOST_MOUNTS}"):
        machine(tmp_path, *(Mount(tmp_path, Path(f"/m{n}")) for n in range(MOST_MOUNTS + 1)))


def test_qemu_gets_no_network_no_file_by_name_and_a_filter(tmp_path: Path) -> None:
    opened = Opened(kernel=3, first=4, disks=[5, 6], channel=7, control=8)
    command = qemu_command(Path("/usr/bin/qemu"), machine(tmp_path), opened, "the-mark", kvm=False)
    words = " ".join(command)
    assert "net" not in words
    assert str(tmp_path) not in words
    assert command[command.index("-sandbox") + 1].startswith("on,")
    assert "spawn=deny" in words
    assert words.count("read-only=on") == 2
    assert "the-mark" in command
    assert {"-nodefaults", "-no-user-config"} <= set(command)
