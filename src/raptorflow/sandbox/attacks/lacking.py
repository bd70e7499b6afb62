"""What a sandbox's configuration must hold, by driver.

A protection that is left out shows no forbidden word, so each is looked for. Each check takes what the driver
hands to its engine, and yields what it does not find.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from raptorflow.base.json import loads

ROOT_USERS = {"", "0", "root"}
NOT_OPEN = {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD"}
SHUT_OPTIONS = (
    "--unshare-all",
    "--cap-drop",
    "--seccomp",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
)
MACHINE_OPTIONS = ("-nodefaults", "-no-user-config", "-sandbox")
JAIL_OPTIONS = ("--uid", "--gid", "--chroot-base-dir", "--new-pid-ns", "--resource-limit")
# A line of a guest's plan: the filter that its agent is told to put around programs.
FILTER_WORD = re.compile(r"argument filter:[0-9a-f]{16}")
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def lacking(driver: str, rendered: object) -> list[str]:
    """What is missing in a driver's configuration; nothing when all is there."""
    return sorted(set(CHECKS[driver](rendered)))


def docker(rendered: object) -> Iterator[str]:
    """A request for a container."""
    request = _mapping(rendered)
    host = _mapping(request.get("HostConfig"))
    users = str(request.get("User", "")).split(":")
    options = [str(each) for each in _list(host.get("SecurityOpt"))]
    wanted = {
        "it runs as root": all(user not in ROOT_USERS for user in users),
        "a network": host.get("NetworkMode") == "none",
        "capabilities are not dropped": "ALL" in _list(host.get("CapDrop")) and not host.get("CapAdd"),
        "a writable root": host.get("ReadonlyRootfs") is True,
        "it may gain privileges": bool({"no-new-privileges", "no-new-privileges:true"} & {*options}),
        "no system call filter": any(map(_filters, options)),
        "no limit on processes": _positive(host.get("PidsLimit")),
        "no limit on memory": _positive(host.get("Memory")),
        # Without such a list the engine has its own; an empty one covers nothing.
        "files of the kernel uncovered": bool(host.get("MaskedPaths", True)),
        "files of the kernel can be written": bool(host.get("ReadonlyPaths", True)),
    }
    yield from (words for words, there in wanted.items() if not there)


def pod(rendered: object) -> Iterator[str]:
    """A pod's description."""
    spec = _mapping(rendered)
    if spec.get("automountServiceAccountToken") is not False:
        yield "a token for the cluster"
    yield from (f"{words} (pod)" for words in _context(_mapping(spec.get("securityContext"))))
    containers = [_mapping(each) for key in CONTAINERS for each in _list(spec.get(key))]
    for container in containers or [{}]:
        yield from _container(container)


def _container(container: Mapping[str, Any]) -> Iterator[str]:
    context = _mapping(container.get("securityContext"))
    limits = _mapping(_mapping(container.get("resources")).get("limits"))
    dropped = _list(_mapping(context.get("capabilities")).get("drop"))
    yield from _context(context)
    wanted = {
        "may gain privileges": context.get("allowPrivilegeEscalation") is False,
        "a writable root": context.get("readOnlyRootFilesystem") is True,
        "capabilities are not dropped": "ALL" in dropped,
        "no limit on memory": bool(limits.get("memory")),
    }
    yield from (words for words, there in wanted.items() if not there)


def _context(context: Mapping[str, Any]) -> Iterator[str]:
    """What both a pod and each of its containers say of themselves."""
    if context.get("runAsNonRoot") is not True or context.get("runAsUser", 1) == 0:
        yield "root inside"
    if _mapping(context.get("seccompProfile")).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "no system call filter"


def bubblewrap(rendered: object) -> Iterator[str]:
    """A command line of bubblewrap."""
    parts = [str(part) for part in _list(rendered)]
    yield from (f"{option} is missing" for option in SHUT_OPTIONS if option not in parts)
    if ("--cap-drop", "ALL") not in pairwise(parts):
        yield "capabilities are not dropped"


def machine(rendered: object) -> Iterator[str]:
    """The commands of the monitors, and the plan that a guest is built by."""
    parts = _mapping(rendered)
    qemu, plan, jail = ([str(part) for part in _list(parts.get(key))] for key in ("command", "plan", "jail"))
    yield from (f"{option} is missing" for option in MACHINE_OPTIONS if option not in qemu)
    yield from (f"the jailer's {option} is missing" for option in JAIL_OPTIONS if option not in jail)
    for option, value in pairwise(jail):
        if option in {"--uid", "--gid"} and not (value.isdigit() and int(value)):
            yield f"the jailer runs it as root ({option} {value})"
    if "--no-seccomp" in jail:
        yield "no system call filter around the monitor (--no-seccomp)"
    if not any(map(FILTER_WORD.match, plan)):
        yield "no system call filter in the guest"


CHECKS: dict[str, Callable[[object], Iterator[str]]] = {
    "local": bubblewrap,
    "docker": docker,
    "microvm": machine,
    "kubernetes": pod,
}


def _filters(option: str) -> bool:
    """Whether a security option is a system call filter that allows only what it names."""
    kind, _, profile = option.partition("=")
    if kind != "seccomp":
        return False
    try:
        return _mapping(loads(profile)).get("defaultAction") in NOT_OPEN
    except ValueError:
        return False


def _positive(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, Sequence) and not isinstance(value, str) else []
