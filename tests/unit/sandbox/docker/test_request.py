"""What the engine is asked for is closed, whatever the blueprint."""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.docker.mounts import TMP, blueprint_mounts, system_mounts
from raptorflow.sandbox.drivers.docker.request import Base, create_request
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.interpreter import Mount, sandbox_python
from raptorflow.skills.capabilities import MIB, Limits

SOCKET = Path("/run/docker.sock")
BASE = Base(f"sha256:{'1' * 64}", system_mounts(), ("python3", "agent"), runtime=None, manager="this one")
LIMITS = st.builds(
    Limits,
    memory_bytes=st.integers(16 * MIB, 64 * 1024 * MIB),
    cpus=st.floats(0.001, 64),
    pids=st.integers(1, 4096),
    disk_bytes=st.integers(MIB, 64 * 1024 * MIB),
)
BLUEPRINTS = st.builds(
    Blueprint,
    limits=LIMITS,
    mounts=st.just(()),
    python=st.just(Path("/usr/bin/python3")),
    reach=st.booleans(),
    workspace_bytes=st.integers(MIB, 1024 * MIB),
)


def plan(*mounts: Mount) -> Blueprint:
    return Blueprint(Limits(), mounts, sandbox_python(), reach=False, workspace_bytes=MIB)


def asked(blueprint: Blueprint | None = None, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    return create_request(BASE, blueprint or plan(), "one", labels or {})


@given(BLUEPRINTS, st.dictionaries(st.text(), st.text()), st.sampled_from([None, "runsc", "kata"]))
def test_nothing_can_be_asked_for_that_opens_a_container(
    blueprint: Blueprint, labels: dict[str, str], runtime: str | None
) -> None:
    base = replace(BASE, runtime=runtime)
    request = create_request(base, blueprint, "one", labels)
    host = request["HostConfig"]
    assert request["User"] == "65534:65534"
    assert request["NetworkDisabled"] is True
    assert (host["Privileged"], host["CapDrop"], host["CapAdd"], host["Devices"]) == (False, ["ALL"], [], [])
    assert (host["NetworkMode"], host["IpcMode"], host["CgroupnsMode"]) == ("none", "private", "private")
    assert (host["PidMode"], host["UTSMode"], host["ReadonlyRootfs"]) == ("", "", True)
    assert host["LogConfig"] == {"Type": "none"}
    assert host["Sysctls"] == {"net.ipv4.ping_group_range": "1 0"}
    assert host["AutoRemove"] is True
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not [option for option in host["SecurityOpt"] if "unconfined" in option or "disable" in option]
    assert {"/sys", "/proc/kcore"} <= set(host["MaskedPaths"])
    assert {"/proc/sys", "/proc/sysrq-trigger"} <= set(host["ReadonlyPaths"])
    assert not {"Binds", "VolumesFrom", "Links", "PortBindings", "UsernsMode", "DeviceCgroupRules"} & set(
        host
    )
    assert all(mount["ReadOnly"] and mount["BindOptions"]["NonRecursive"] for mount in host["Mounts"])
    assert all("size=" in options and "nosuid" in options for options in host["Tmpfs"].values())
    assert json.loads(json.dumps(request)) == request


@given(BLUEPRINTS)
def test_every_limit_is_set_and_there_is_no_swap(blueprint: Blueprint) -> None:
    host = asked(blueprint)["HostConfig"]
    files = blueprint.workspace_bytes + min(64 * MIB, blueprint.limits.disk_bytes)
    assert host["Memory"] == host["MemorySwap"] >= blueprint.limits.memory_bytes + files
    assert blueprint.limits.pids < host["PidsLimit"] <= blueprint.limits.pids + 8
    assert host["CpuQuota"] == max(1000, int(blueprint.limits.cpus * host["CpuPeriod"]))
    ulimits = {one["Name"]: one["Hard"] for one in host["Ulimits"]}
    assert ulimits["core"] == ulimits["msgqueue"] == 0
    assert set(ulimits) == {"core", "fsize", "msgqueue", "nofile"}


def test_a_kernel_of_its_own_gets_room_for_itself() -> None:
    own = create_request(replace(BASE, runtime="runsc"), plan(), "one", {})["HostConfig"]
    shared = asked()["HostConfig"]
    assert own["Runtime"] == "runsc"
    assert "Runtime" not in shared
    assert own["Memory"] > shared["Memory"]
    assert own["PidsLimit"] > shared["PidsLimit"]


def test_labels_are_shown_and_cannot_pass_for_the_drivers_own() -> None:
    given = {"tenant": "acme", "raptorflow.sandbox": "another", "raptorflow.manager": "another"}
    labels = asked(labels=given)["Labels"]
    assert labels == {
        "raptorflow.sandbox": "one",
        "raptorflow.manager": "this one",
        "raptorflow.label.tenant": "acme",
        "raptorflow.label.raptorflow.sandbox": "another",
        "raptorflow.label.raptorflow.manager": "another",
    }


def test_the_environment_is_made_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "secret")
    assert asked()["Env"] == ["LANG=C.UTF-8", "PATH=/usr/bin:/bin", "HOME=/workspace"]
    assert "secret" not in json.dumps(asked())


@pytest.mark.parametrize(
    "source",
    ["/", "/etc", "/etc/passwd", "/proc", "/sys/fs/cgroup", "/dev", "/run", "/var", "/home", "/root"],
)
def test_folders_of_the_system_are_not_mounted(source: str) -> None:
    with pytest.raises(SandboxStartFailed, match="no sandbox may see it"):
        blueprint_mounts(plan(Mount(Path(source), Path("/skill"))), SOCKET, own_python=False)


def test_a_folder_with_the_engines_socket_is_not_mounted(tmp_path: Path) -> None:
    engine = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(engine))
        for source in (tmp_path, engine):
            with pytest.raises(SandboxStartFailed, match="no sandbox may see it"):
                blueprint_mounts(plan(Mount(source, Path("/skill"))), engine, own_python=False)


def test_a_link_does_not_lead_to_what_may_not_be_mounted(tmp_path: Path) -> None:
    (tmp_path / "skill").symlink_to("/etc")
    with pytest.raises(SandboxStartFailed, match="no sandbox may see it"):
        blueprint_mounts(plan(Mount(tmp_path / "skill", Path("/skill"))), SOCKET, own_python=False)


def test_only_folders_and_files_are_mounted(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "some.sock"))
        with pytest.raises(SandboxStartFailed, match="neither a folder nor a file"):
            blueprint_mounts(plan(Mount(tmp_path / "some.sock", Path("/skill"))), SOCKET, own_python=False)


def test_what_the_user_inside_could_not_read_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(SandboxStartFailed, match="cannot be read") as caught:
        blueprint_mounts(plan(Mount(tmp_path, Path("/skill"))), SOCKET, own_python=False)
    assert caught.value.hint == f"chmod -R o+rX {tmp_path}"


@pytest.mark.parametrize(
    "target",
    ["/", "/proc", "/etc/x", "/dev/x", "/workspace", "/workspace/in", TMP, "/run/x", "skill", "/skill/.."],
)
def test_places_that_are_not_the_blueprints_to_fill_are_refused(target: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(SandboxStartFailed, match="Nothing can be mounted"):
        blueprint_mounts(plan(Mount(tmp_path, Path(target))), SOCKET, own_python=False)


def test_the_agent_is_always_there_and_a_place_has_one_mount(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    mounts = blueprint_mounts(
        plan(Mount(tmp_path, Path("/skill")), Mount(tmp_path, Path("/skill"))), SOCKET, own_python=False
    )
    targets = [str(mount.target) for mount in mounts]
    assert targets == ["/opt/raptorflow/agent", "/skill"]
