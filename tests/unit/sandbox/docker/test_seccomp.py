"""The filter in the engine's format says what the shared list says."""

import errno
import json
import platform
from typing import Any

import pytest

from raptorflow.sandbox.drivers.docker.seccomp import profile
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.syscalls import ALLOWED, LANDLOCK, REACH, REFUSED


def rules(*, reach: bool) -> list[dict[str, Any]]:
    return json.loads(profile(reach=reach))["syscalls"]


def named(action: str, *, reach: bool, conditional: bool = False) -> set[str]:
    found = [rule for rule in rules(reach=reach) if rule["action"] == action]
    return {name for rule in found if bool(rule["args"]) == conditional for name in rule["names"]}


@pytest.mark.parametrize("reach", [False, True])
def test_what_is_in_no_list_does_not_exist(reach: bool) -> None:
    filter_ = json.loads(profile(reach=reach))
    assert (filter_["defaultAction"], filter_["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", errno.ENOSYS)
    assert len(filter_["architectures"]) == 1


@pytest.mark.parametrize("reach", [False, True])
def test_every_call_has_one_answer(reach: bool) -> None:
    allowed = named("SCMP_ACT_ALLOW", reach=reach)
    refused = named("SCMP_ACT_ERRNO", reach=reach)
    by_argument = named("SCMP_ACT_ALLOW", reach=reach, conditional=True)
    assert not allowed & refused
    assert not allowed & by_argument
    assert not refused & by_argument
    assert {*ALLOWED, *LANDLOCK} <= allowed
    assert {"mount", "unshare", "bpf", "ptrace", "io_uring_setup", "keyctl", "reboot", "clone3"} <= refused


def test_sockets_are_made_only_with_reach_and_of_three_families() -> None:
    assert {"socket", *REACH} <= named("SCMP_ACT_ERRNO", reach=False)
    assert set(REACH) <= named("SCMP_ACT_ALLOW", reach=True)
    families = [rule["args"][0] for rule in rules(reach=True) if rule["names"] == ["socket"]]
    assert [(one["index"], one["value"], one["valueTwo"]) for one in families] == [
        (0, 0xFFFFFFFF, 1),
        (0, 0xFFFFFFFF, 2),
        (0, 0xFFFFFFFF, 10),
    ]
    assert set(REFUSED) - {"socket", *REACH} <= named("SCMP_ACT_ERRNO", reach=True)


def test_new_namespaces_are_refused_by_each_flag() -> None:
    clones = [rule for rule in rules(reach=False) if rule["names"] == ["clone"]]
    assert [rule["action"] for rule in clones].count("SCMP_ACT_ALLOW") == 1
    refused = {rule["args"][0]["value"] for rule in clones if rule["action"] == "SCMP_ACT_ERRNO"}
    assert refused == {0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000}


def test_a_machine_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    profile.cache_clear()
    with pytest.raises(SandboxUnavailable, match="no system call filter for vax"):
        profile(reach=False)
    profile.cache_clear()
