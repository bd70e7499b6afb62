"""The system call filter as the engine takes it: Docker's JSON, made from the list that all drivers share.

Only this machine's own architecture is named, so calls under the numbers of another one (32-bit or x32
programs on a 64-bit kernel) kill the process: they would reach the same kernel functions.
Source of the format: https://docs.docker.com/engine/security/seccomp/
"""

import errno
import json
import platform
from collections.abc import Iterable
from functools import cache
from typing import Any

from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.syscalls import (
    AF_UNIX,
    ALLOWED,
    IOCTLS,
    LANDLOCK,
    NAMESPACE_FLAGS,
    PERSONALITIES,
    REACH,
    REACH_FAMILIES,
    REFUSED,
)

LOW_32_BITS = 0xFFFFFFFF
ARCHITECTURES = {
    "x86_64": "SCMP_ARCH_X86_64",
    "aarch64": "SCMP_ARCH_AARCH64",
    "riscv64": "SCMP_ARCH_RISCV64",
    "ppc64le": "SCMP_ARCH_PPC64LE",
}
# Older libraries of C try this one first and fall back to `clone` when it does not exist. Its flags lie in
# memory, where no filter sees them.
UNSEEN_FLAGS = "clone3"


@cache
def profile(*, reach: bool) -> str:
    """The filter as JSON.

    Args:
        reach: whether sockets may be made and used; of these families alone: UNIX, IPv4, IPv6.

    Raises:
        SandboxUnavailable: there is no filter for this machine's architecture.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise SandboxUnavailable(
            f"There is no system call filter for {machine}.",
            hint=f"Use the local driver, or a machine with {', '.join(sorted(ARCHITECTURES))}.",
        )
    reached = frozenset(REACH if reach else ())
    rules = [
        _allow(sorted({*ALLOWED, *LANDLOCK, *reached})),
        _refuse(sorted({*REFUSED} - reached - ({"socket"} if reach else set()))),
        _refuse([UNSEEN_FLAGS], errno.ENOSYS),
        *_by_argument(reach=reach),
    ]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.ENOSYS,
            "architectures": [ARCHITECTURES[machine]],
            "syscalls": rules,
        }
    )


def _by_argument(*, reach: bool) -> Iterable[dict[str, Any]]:
    """Calls that are harmless or not depending on an argument."""
    every = sum(NAMESPACE_FLAGS)
    yield _allow(["clone"], _masked(0, every, 0))
    for flag in NAMESPACE_FLAGS:
        yield _refuse(["clone"], errno.EPERM, _masked(0, flag, flag))
    yield _allow(["socketpair"], _masked(0, LOW_32_BITS, AF_UNIX))
    for request in IOCTLS:
        yield _allow(["ioctl"], _masked(1, LOW_32_BITS, request))
    for personality in PERSONALITIES:
        yield _allow(["personality"], _masked(0, LOW_32_BITS, personality))
    for family in REACH_FAMILIES if reach else ():
        yield _allow(["socket"], _masked(0, LOW_32_BITS, family))


def _masked(index: int, mask: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}


def _allow(names: list[str], *arguments: dict[str, Any]) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": list(arguments)}


def _refuse(names: list[str], number: int = errno.EPERM, *arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "names": names,
        "action": "SCMP_ACT_ERRNO",
        "errnoRet": number,
        "args": list(arguments),
    }
