"""The lint finds each forbidden thing wherever it stands, and nothing in a closed configuration."""

from typing import Any

import pytest

from raptorflow.sandbox.attacks.lint import lint

CLOSED: dict[str, Any] = {
    "HostConfig": {
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": [],
        "NetworkMode": "none",
        "IpcMode": "private",
        "ReadonlyRootfs": True,
        "PidsLimit": 64,
        "Memory": 1 << 28,
        "SecurityOpt": ["no-new-privileges:true", "seccomp={}"],
        "Mounts": [{"Type": "bind", "Source": "/usr", "Target": "/usr", "ReadOnly": True}],
    }
}
FORBIDDEN: dict[str, Any] = {
    "Privileged": True,
    "PidMode": "host",
    "IpcMode": "container:other",
    "UTSMode": "host",
    "UsernsMode": "host",
    "NetworkMode": "bridge",
    "CapAdd": ["SYS_ADMIN"],
    "Devices": [{"PathOnHost": "/dev/kvm"}],
    "ReadonlyRootfs": False,
    "SecurityOpt": ["seccomp=unconfined"],
    "Binds": ["/etc:/etc:rw"],
    "Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/etc"}],
    "PortBindings": {"80/tcp": [{"HostPort": "80"}]},
}


def test_a_closed_configuration_has_nothing_forbidden() -> None:
    assert lint(CLOSED) == []


@pytest.mark.parametrize("key", FORBIDDEN)
def test_each_forbidden_thing_of_a_container_is_found(key: str) -> None:
    opened = {"HostConfig": CLOSED["HostConfig"] | {key: FORBIDDEN[key]}}
    assert lint(opened)


@pytest.mark.parametrize("path", ["/var/run/docker.sock", "/run/containerd/containerd.sock"])
def test_an_engines_socket_is_found_also_when_it_is_read_only(path: str) -> None:
    assert lint({"Binds": [f"{path}:/x:ro"]}) == [f"an engine's socket ({path}:/x:ro)"]


@pytest.mark.parametrize(
    "pod",
    [
        {"spec": {"hostPID": True}},
        {"spec": {"hostNetwork": True}},
        {"spec": {"volumes": [{"hostPath": {"path": "/"}}]}},
        {"spec": {"automountServiceAccountToken": True}},
        {"containers": [{"securityContext": {"allowPrivilegeEscalation": True}}]},
        {"containers": [{"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]},
        {"containers": [{"securityContext": {"seccompProfile": {"type": "Unconfined"}}}]},
        {"containers": [{"securityContext": {"procMount": "Unmasked"}}]},
        {"containers": [{"ports": [{"hostPort": 80}]}]},
    ],
)
def test_each_forbidden_thing_of_a_pod_is_found(pod: dict[str, Any]) -> None:
    assert lint(pod)


def test_a_machine_with_a_network_card_is_found() -> None:
    assert lint({"network-interfaces": [{"iface_id": "eth0"}]})
    assert lint(["qemu-system-x86_64", "-netdev", "user,id=n"])
    assert not lint([*MACHINE, "-nic", "none"])


MACHINE = [
    *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-sandbox", "on,spawn=deny"),
    *("-blockdev", "driver=raw,read-only=on", "-device", "virtio-blk-device,drive=disk0"),
]


@pytest.mark.parametrize(
    "opened",
    [
        [part.replace("on,spawn=deny", "off") for part in MACHINE],
        [part.replace("read-only=on", "read-only=off") for part in MACHINE],
        [*MACHINE, "-device", "virtio-net-device"],
        [*MACHINE, "-virtfs", "local,path=/"],
    ],
)
def test_a_machine_that_is_left_open_is_found(opened: list[str]) -> None:
    assert lint(MACHINE) == []
    assert len(lint(opened)) == 1


SHUT = [
    "--unshare-all",
    "--cap-drop",
    "ALL",
    "--seccomp",
    "3",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
]


def test_a_command_line_of_bubblewrap_is_read_too() -> None:
    assert lint(SHUT) == []
    assert lint([*SHUT, "--share-net"])
    assert lint([*SHUT, "--bind", "/etc", "/etc"])
    assert lint([*SHUT, "--dev-bind", "/dev/null", "/dev/null"]) == []
    assert lint([*SHUT, "--dev-bind", "/dev/kvm", "/dev/kvm"]) == ["devices of the machine (/dev/kvm)"]


def test_only_folders_that_are_meant_for_it_may_be_mounted() -> None:
    assert lint(CLOSED, allowed_roots=["/usr"]) == []
    assert lint(CLOSED, allowed_roots=["/srv"])
    shown = [*SHUT, "--ro-bind", "/etc", "/etc"]
    assert lint(shown, allowed_roots=["/etc"]) == []
    assert lint(shown, allowed_roots=["/usr"]) == ["a folder of the machine that is not meant for it (/etc)"]
