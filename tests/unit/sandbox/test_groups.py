"""Control groups: found in what `/proc` says, limited, counted. Version 2 is tried on a made-up tree."""

from pathlib import Path

import pytest

from raptorflow.sandbox.cgroups.group import MemoryUse
from raptorflow.sandbox.cgroups.v1 import places_v1
from raptorflow.sandbox.cgroups.v2 import GroupV2, make_room, own_place, places_v2
from raptorflow.sandbox.driver import AGENT_BYTES, AGENT_TASKS, Blueprint, Usage
from raptorflow.skills.capabilities import MIB, Limits

LIMITS = Limits(memory_bytes=100 * MIB, disk_bytes=30 * MIB, pids=7, cpus=0.5)
BLUEPRINT = Blueprint(LIMITS, (), Path("/"), reach=False, workspace_bytes=LIMITS.disk_bytes)


def mount(point: Path, options: str, root: str = "/") -> str:
    return f"30 25 0:27 {root} {point} rw,relatime - cgroup cgroup rw,{options}"


def tree(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for path in made:
        path.mkdir(parents=True)
    return made


def test_version_1_is_found_below_our_own_groups(tmp_path: Path) -> None:
    tree(tmp_path, "memory/session/1", "pids", "cpu,cpuacct")
    mounts = "\n".join(mount(tmp_path / name, name) for name in ("memory", "pids", "cpu,cpuacct"))
    membership = "4:memory:/session/1\n3:pids:/gone\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/\n"
    assert places_v1(mounts, membership) == {
        "memory": tmp_path / "memory/session/1",
        "pids": tmp_path / "pids",
        "cpu": tmp_path / "cpu,cpuacct",
        "cpuacct": tmp_path / "cpu,cpuacct",
    }


def test_version_1_in_a_container_is_mounted_at_the_containers_group(tmp_path: Path) -> None:
    tree(tmp_path, "memory/inner", "pids", "cpu")
    mounts = "\n".join(mount(tmp_path / name, name, "/docker/abc") for name in ("memory", "pids", "cpu"))
    membership = "3:memory:/docker/abc/inner\n2:pids:/docker/abc\n1:cpu:/docker/abc\n"
    assert places_v1(mounts, membership) == {
        "memory": tmp_path / "memory/inner",
        "pids": tmp_path / "pids",
        "cpu": tmp_path / "cpu",
    }


def test_version_1_without_all_controllers_is_not_used(tmp_path: Path) -> None:
    tree(tmp_path, "memory", "pids")
    mounts = "\n".join(mount(tmp_path / name, name) for name in ("memory", "pids"))
    assert places_v1(mounts, "2:memory:/\n1:pids:/\n") == {}
    assert places_v1("", "0::/\n") == {}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    return tmp_path


def test_version_2_prefers_the_root_where_it_may(root: Path) -> None:
    tree(root, "user.slice/session")
    assert places_v2(root, "0::/user.slice/session\n") == [root, root / "user.slice/session"]
    assert places_v2(root, "0::/\n") == [root]
    assert places_v2(root / "user.slice", "0::/\n") == []


def test_version_2_moves_our_processes_into_a_leaf_of_our_own_group(root: Path) -> None:
    own = tree(root, "scope")[0]
    control = own / "cgroup.subtree_control"
    # As the kernel does while a group has processes: no writing.
    control.mkdir()
    (own / "cgroup.procs").write_text("12\n13\n")
    with pytest.raises(IsADirectoryError):
        make_room(own, root / "other")
    assert not (own / "raptorflow-main").exists()
    with pytest.raises(IsADirectoryError):
        make_room(own, own_place(root, "0::/scope\n"))
    assert (own / "raptorflow-main" / "cgroup.procs").read_text() == "13"


def test_version_2_asks_only_for_the_controllers_that_are_missing(root: Path) -> None:
    (root / "cgroup.subtree_control").write_text("cpu\n")
    make_room(root, root / "own")
    assert (root / "cgroup.subtree_control").read_text() == "+memory +pids"


def test_version_2_sets_limits_and_counts(root: Path) -> None:
    folder = root / "run"
    group = GroupV2(folder, BLUEPRINT)
    assert (folder / "memory.max").read_text() == str((100 + 30 + 30) * MIB + AGENT_BYTES)
    assert (folder / "pids.max").read_text() == str(7 + AGENT_TASKS)
    assert (folder / "cpu.max").read_text() == "50000 100000"
    assert group.usage() == Usage()
    group.add(77)
    assert (folder / "cgroup.procs").read_text() == "77"
    assert group.entrances == (folder / "cgroup.procs",)
    group.weigh(10)
    assert (folder / "cpu.weight").read_text() == "10"
    (folder / "memory.stat").write_text("anon 5\nfile 9\nshmem 3\n")
    (folder / "cpu.stat").write_text("usage_usec 1500\nuser_usec 1000\nnr_throttled 3\n")
    (folder / "memory.peak").write_text("4096\n")
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    (folder / "pids.events").write_text("max 4\n")
    assert group.memory() == MemoryUse(5, 3)
    assert group.usage() == Usage(
        cpu_ms=1.5, peak_memory_bytes=4096, out_of_memory=1, tasks_refused=4, throttled=3
    )
