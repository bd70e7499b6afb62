"""What a sandbox's configuration must never hold, whichever engine it is for.

`lint` takes what a driver hands to its engine (a container's configuration, a pod, a machine's, or a command
line) and walks all of it, so that a forbidden thing is found wherever it stands; what must be there is looked
for in `lacking`. The list follows the ways in which containers are known to have been left open: more rights,
the machine's namespaces, its sockets and files, and protections switched off.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

Check = Callable[[Any], bool]


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _host(value: Any) -> bool:
    return str(value).lower().startswith(("host", "container:"))


def _filled(value: Any) -> bool:
    return bool(value)


def _false(value: Any) -> bool:
    return value is False


def _unconfined(value: Any) -> bool:
    return "unconfined" in str(value).lower()


def _network(value: Any) -> bool:
    return str(value).lower() not in {"none", ""}


# Keys in lower case without separators: Docker's, Kubernetes' and Firecracker's spellings at once.
FORBIDDEN: dict[str, tuple[Check, str]] = {
    "privileged": (_true, "privileged"),
    "allowprivilegeescalation": (_true, "may gain privileges"),
    "hostpid": (_true, "the machine's processes"),
    "hostipc": (_true, "the machine's shared memory"),
    "hostnetwork": (_true, "the machine's network"),
    "shareprocessnamespace": (_true, "processes shared between containers"),
    "automountserviceaccounttoken": (_true, "a token for the cluster"),
    "pidmode": (_host, "the machine's processes"),
    "ipcmode": (_host, "the machine's shared memory"),
    "utsmode": (_host, "the machine's name"),
    "usernsmode": (_host, "the machine's users"),
    "cgroupnsmode": (_host, "the machine's control groups"),
    "networkmode": (_network, "a network"),
    "networkinterfaces": (_filled, "a network card"),
    "capadd": (_filled, "capabilities added"),
    "add": (_filled, "capabilities added"),
    "devices": (_filled, "devices of the machine"),
    "devicerequests": (_filled, "devices of the machine"),
    "devicecgrouprules": (_filled, "devices of the machine"),
    "hostpath": (_filled, "a folder of the machine"),
    "hostport": (_filled, "a port of the machine"),
    "portbindings": (_filled, "a port of the machine"),
    "publishallports": (_true, "ports of the machine"),
    "readonlyrootfs": (_false, "a writable root"),
    "readonlyrootfilesystem": (_false, "a writable root"),
    "runasnonroot": (_false, "root inside"),
    "securityopt": (_unconfined, "a protection switched off"),
    "seccompprofile": (_unconfined, "no system call filter"),
    "apparmorprofile": (_unconfined, "no AppArmor profile"),
    "unmaskedpaths": (_filled, "files of the kernel uncovered"),
    "procmount": (lambda value: str(value) == "Unmasked", "files of the kernel uncovered"),
}
SOCKETS = re.compile(r"(docker|containerd|crio|podman)[^/]*\.sock")
# Options of bubblewrap that open what is shut.
OPEN_OPTIONS = ("--share-net", "--cap-add", "--dev", "--bind-try", "--overlay", "--dev-bind-try")
SHOWN_OPTIONS = ("--ro-bind", "--ro-bind-try")
DEVICES = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}
MACHINE_OPEN = ("-fsdev", "-virtfs", "-usbdevice", "-hda", "-cdrom")
MACHINE_DEVICES = re.compile(r"net|vfio|vhost|usb|9p|fs-")


def lint(rendered: object, *, allowed_roots: Sequence[str] = ()) -> list[str]:
    """What is wrong with a configuration; nothing when all is well.

    Args:
        rendered: mappings, sequences and values, as handed to the engine; or a command line.
        allowed_roots: folders of the machine of which read-only parts may be mounted; any when empty.
    """
    return sorted(set(_walk(rendered, "", allowed_roots)))


def _walk(value: object, path: str, roots: Sequence[str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _mount(
            {_plain(key): each for key, each in cast("Mapping[object, object]", value).items()}, roots
        )
        for key, each in cast("Mapping[object, object]", value).items():
            check, words = FORBIDDEN.get(_plain(key), (None, ""))
            if check and check(each):
                yield f"{words} ({path}{key})"
            yield from _walk(each, f"{path}{key}.", roots)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        parts = list(cast("Sequence[object]", value))
        for each in parts:
            yield from _walk(each, path, roots)
        yield from _options([str(part) for part in parts], roots)
        yield from _machine([str(part) for part in parts])
    else:
        yield from _text(str(value), roots)


def _mount(keys: Mapping[str, object], roots: Sequence[str]) -> Iterator[str]:
    """A mount that is written as a mapping."""
    if str(keys.get("type", "")).lower() != "bind":
        return
    source = str(keys.get("source", ""))
    if keys.get("readonly") is not True:
        yield f"a folder of the machine that can be written ({source})"
    yield from _outside(source, roots)


def _outside(source: str, roots: Sequence[str]) -> Iterator[str]:
    if roots and not any(source == root or source.startswith(f"{root}/") for root in roots):
        yield f"a folder of the machine that is not meant for it ({source})"


def _text(text: str, roots: Sequence[str]) -> Iterator[str]:
    if SOCKETS.search(text):
        yield f"an engine's socket ({text})"
    mount = re.fullmatch(r"(/[^:]*):(/[^:]*)(?::(.*))?", text)
    if not mount:
        return
    if "ro" not in (mount[3] or "").split(","):
        yield f"a folder of the machine that can be written ({text})"
    yield from _outside(mount[1], roots)


def _options(parts: Sequence[str], roots: Sequence[str]) -> Iterator[str]:
    """Options of command lines: bubblewrap's, and those of virtual machines."""
    for part, following in pairwise([*parts, ""]):
        if "--unshare-all" in parts:
            yield from _bound(part, following, roots)
        if part in {"-netdev", "-nic", "-net"} and following != "none":
            yield f"a network card ({part} {following})"


def _bound(part: str, following: str, roots: Sequence[str]) -> Iterator[str]:
    """One option of bubblewrap and its first value."""
    if part in OPEN_OPTIONS:
        yield f"{part} {following}"
    elif part == "--bind":
        yield f"a folder of the machine that can be written ({following})"
    elif part == "--dev-bind" and following not in DEVICES:
        yield f"devices of the machine ({following})"
    elif part in SHOWN_OPTIONS and following not in DEVICES:
        yield from _outside(following, roots)


def _machine(parts: Sequence[str]) -> Iterator[str]:
    """QEMU's command line."""
    if not parts or "qemu" not in parts[0]:
        return
    for part, following in pairwise(parts):
        if part in MACHINE_OPEN or (part == "-device" and MACHINE_DEVICES.search(following)):
            yield f"a device or folder of the machine ({part} {following})"
        elif part in {"-blockdev", "-drive"} and "read-only=on" not in following:
            yield f"a disk that can be written ({following})"
        elif part == "-sandbox" and not following.startswith("on,"):
            yield f"no system call filter around the monitor ({following})"


def _plain(key: object) -> str:
    return re.sub(r"[-_]", "", str(key)).lower()
