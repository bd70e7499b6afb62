"""What each driver tells its engine has all that it must have; each protection that is left out is missed."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from raptorflow.sandbox.attacks.lacking import SHUT_OPTIONS, lacking
from raptorflow.sandbox.attacks.lint import lint
from raptorflow.sandbox.attacks.rendering import RENDERED, allowed_roots
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import Limits

GONE = object()
OPENED: dict[str, dict[str, object]] = {
    "docker": {
        "User": "0:0",
        "User ": "65534",
        "HostConfig.SecurityOpt": ["no-new-privileges:true"],
        "HostConfig.SecurityOpt ": ["no-new-privileges:true", "seccomp=unconfined"],
        "HostConfig.SecurityOpt  ": ["no-new-privileges:true", 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'],
        "HostConfig.NetworkMode": "default",
        "HostConfig.CapDrop": ["NET_RAW"],
        "HostConfig.CapAdd": ["SYS_ADMIN"],
        "HostConfig.ReadonlyRootfs": False,
        "HostConfig.PidsLimit": 0,
        "HostConfig.Memory": 0,
        "HostConfig.MaskedPaths": [],
        "HostConfig.ReadonlyPaths": [],
        "HostConfig": GONE,
    },
    "kubernetes": {
        "automountServiceAccountToken": GONE,
        "securityContext": GONE,
        "securityContext.runAsNonRoot": GONE,
        "securityContext.runAsUser": 0,
        "securityContext.seccompProfile": {"type": "Unconfined"},
        "containers.0.securityContext": GONE,
        "containers.0.securityContext.runAsNonRoot": GONE,
        "containers.0.securityContext.allowPrivilegeEscalation": GONE,
        "containers.0.securityContext.readOnlyRootFilesystem": GONE,
        "containers.0.securityContext.capabilities": GONE,
        "containers.0.securityContext.capabilities.drop": ["NET_RAW"],
        "containers.0.securityContext.seccompProfile": GONE,
        "containers.0.resources.limits": GONE,
        "initContainers": [{"name": "another"}],
    },
    "microvm": {
        "jail": GONE,
        "plan": ["argument filter:"],
        "command": ["qemu-system-x86_64", "-nodefaults", "-no-user-config"],
    },
}
EACH = [(driver, place) for driver, places in OPENED.items() for place in places]


@pytest.fixture
def blueprint(tmp_path: Path) -> Blueprint:
    tmp_path.chmod(0o755)
    return Blueprint(Limits(), (Mount(tmp_path, Path("/skill")),), Path("/usr/bin/python3"), True, 1 << 20)


def changed(rendered: object, place: str, value: object) -> object:
    """The same with another value at a place, or without it."""
    opened = copy.deepcopy(rendered)
    *way, last = place.strip().split(".")
    inner: Any = opened
    for name in way:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return opened


@pytest.mark.parametrize("driver", RENDERED)
def test_nothing_is_missing_and_nothing_forbidden(driver: str, blueprint: Blueprint) -> None:
    rendered = RENDERED[driver](blueprint, SandboxSettings())
    assert lacking(driver, rendered) == []
    assert lint(rendered, allowed_roots=allowed_roots(blueprint)) == []
    assert lacking(driver, {})


@pytest.mark.parametrize(("driver", "place"), EACH)
def test_what_is_left_out_or_opened_is_missed(driver: str, place: str, blueprint: Blueprint) -> None:
    rendered = RENDERED[driver](blueprint, SandboxSettings())
    value = OPENED[driver][place]
    # A user without a group gets the group of that number, or root's.
    harmless = place == "User "
    assert bool(lacking(driver, changed(rendered, place, value))) != harmless


@pytest.mark.parametrize("option", SHUT_OPTIONS)
def test_each_option_of_bubblewrap_is_missed(option: str, blueprint: Blueprint) -> None:
    rendered = cast("list[str]", RENDERED["local"](blueprint, SandboxSettings()))
    assert f"{option} is missing" in lacking("local", [part for part in rendered if part != option])


@pytest.mark.parametrize(
    ("part", "by"), [("--new-pid-ns", ""), ("--uid", ""), ("--", "--no-seccomp"), ("uid", "0")]
)
def test_each_option_of_the_jailer_is_missed(part: str, by: str, blueprint: Blueprint) -> None:
    settings = SandboxSettings()
    rendered = cast("Mapping[str, list[str]]", RENDERED["microvm"](blueprint, settings))
    part = str(settings.microvm.first_uid) if part == "uid" else part
    jail = [by if each == part else each for each in rendered["jail"]]
    assert lacking("microvm", {**rendered, "jail": jail})


def test_a_folder_that_is_not_meant_for_it_is_found_in_a_containers_mounts(blueprint: Blueprint) -> None:
    rendered = RENDERED["docker"](blueprint, SandboxSettings())
    mounts = cast("Mapping[str, Any]", rendered)["HostConfig"]["Mounts"]
    assert {"/usr", str(blueprint.mounts[0].source)} <= {mount["Source"] for mount in mounts}
    opened = [*mounts, {"Type": "bind", "Source": "/srv/x", "Target": "/x", "ReadOnly": True}]
    found = lint(changed(rendered, "HostConfig.Mounts", opened), allowed_roots=allowed_roots(blueprint))
    assert found == ["a folder of the machine that is not meant for it (/srv/x)"]
