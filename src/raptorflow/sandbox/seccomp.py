"""The system call filter, compiled by libseccomp, for whoever puts programs under it.

Calls of another architecture (32-bit or x32 programs on a 64-bit kernel) kill the process: they would reach
the same kernel functions under other numbers.
"""

import errno
import mmap
import platform
import socket
import tempfile
from functools import cache
from importlib import import_module
from typing import Any

from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.syscalls import (
    AF_UNIX,
    ALLOWED,
    HARMLESS_OPTIONS,
    HUGE_PAGES,
    IOCTLS,
    LANDLOCK,
    NAMESPACE_FLAGS,
    PERSONALITIES,
    PROTOCOLS,
    REACH,
    REACH_FAMILIES,
    REFUSED,
    UNSEEN_MAPPING,
    UNSEEN_MEMORY,
)

LOW_32_BITS = 0xFFFFFFFF
BUFFERS = (socket.SO_SNDBUF, socket.SO_RCVBUF)


@cache
def filter_program(*, reach: bool, watched: bool) -> bytes:
    """The filter as BPF.

    Args:
        reach: whether sockets can be made, to ask the broker for a way out.
        watched: memory is held by a watch over processes, so there may be none that it cannot see.

    Raises:
        SandboxUnavailable: libseccomp is not installed.
    """
    library = _library()
    filter_ = library.SyscallFilter(library.ERRNO(errno.ENOSYS))
    filter_.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)
    unseen: set[str] = {*UNSEEN_MEMORY, "setsockopt"} if watched else set()
    allowed = {*ALLOWED, *LANDLOCK, *(REACH if reach else ())} - unseen - {"mmap"}
    for name in sorted(allowed):
        _add(library, filter_, library.ALLOW, name)
    refuse = library.ERRNO(errno.EPERM)
    for name in set(REFUSED) - allowed - ({"socket"} if reach else set()):
        _add(library, filter_, refuse, name)
    _add_by_argument(library, filter_, refuse)
    _add_mappings(library, filter_, refuse, watched=watched)
    if watched:
        _add_options(library, filter_, refuse)
    if reach:
        _add_families(library, filter_, refuse)
    with tempfile.TemporaryFile() as file:
        filter_.export_bpf(file)
        file.seek(0)
        return file.read()


def _add_by_argument(library: Any, filter_: Any, refuse: int) -> None:
    """Calls that are harmless or not depending on an argument."""
    # s390 has the arguments of clone the other way round.
    flags_at = 1 if platform.machine().startswith("s390") else 0
    every = sum(NAMESPACE_FLAGS)
    _add(library, filter_, library.ALLOW, "clone", library.Arg(flags_at, library.MASKED_EQ, every, 0))
    for flag in NAMESPACE_FLAGS:
        argument = library.Arg(flags_at, library.MASKED_EQ, flag, flag)
        _add(library, filter_, refuse, "clone", argument)
    _add(library, filter_, library.ALLOW, "socketpair", library.Arg(0, library.EQ, AF_UNIX))
    for request in IOCTLS:
        argument = library.Arg(1, library.MASKED_EQ, LOW_32_BITS, request)
        _add(library, filter_, library.ALLOW, "ioctl", argument)
    for personality in PERSONALITIES:
        argument = library.Arg(0, library.MASKED_EQ, LOW_32_BITS, personality)
        _add(library, filter_, library.ALLOW, "personality", argument)


def _add_mappings(library: Any, filter_: Any, refuse: int, *, watched: bool) -> None:
    """Memory, but no huge pages, and where it is watched none that is shared without a file."""
    every = HUGE_PAGES | UNSEEN_MAPPING
    for kind in (0, mmap.MAP_SHARED, mmap.MAP_ANONYMOUS, UNSEEN_MAPPING):
        action = refuse if watched and kind == UNSEEN_MAPPING else library.ALLOW
        _add(library, filter_, action, "mmap", library.Arg(3, library.MASKED_EQ, every, kind))
    _add(library, filter_, refuse, "mmap", library.Arg(3, library.MASKED_EQ, HUGE_PAGES, HUGE_PAGES))


def _add_options(library: Any, filter_: Any, refuse: int) -> None:
    """Options of sockets that make no buffer larger; the kernel reads 32 bits of level and option."""
    for level in PROTOCOLS:
        _add(library, filter_, library.ALLOW, "setsockopt", _low(library, 1, level))
    options = [(option, library.ALLOW) for option in HARMLESS_OPTIONS]
    options += [(option, refuse) for option in BUFFERS]
    for option, action in options:
        which = (_low(library, 1, socket.SOL_SOCKET), _low(library, 2, option))
        _add(library, filter_, action, "setsockopt", *which)


def _low(library: Any, at: int, value: int) -> Any:
    return library.Arg(at, library.MASKED_EQ, LOW_32_BITS, value)


def _add_families(library: Any, filter_: Any, refuse: int) -> None:
    """Sockets of the families that lead to the agent; every other one is refused."""
    _add(library, filter_, refuse, "socket", library.Arg(0, library.GT, max(REACH_FAMILIES)))
    for family in range(max(REACH_FAMILIES) + 1):
        action = library.ALLOW if family in REACH_FAMILIES else refuse
        _add(library, filter_, action, "socket", library.Arg(0, library.EQ, family))


def _add(library: Any, filter_: Any, action: int, name: str, *arguments: Any) -> None:
    """Add a rule; this machine may not know the call, which then does not exist inside."""
    try:
        number = int(library.resolve_syscall(library.system_arch(), name))
    except (OSError, ValueError, RuntimeError):
        return
    if number >= 0:
        filter_.add_rule(action, name, *arguments)


@cache
def _library() -> Any:
    """pyseccomp; it has no type information, and no life without libseccomp."""
    try:
        return import_module("pyseccomp")
    except (ImportError, RuntimeError, OSError) as error:
        raise SandboxUnavailable(
            f"The system call filter cannot be compiled: {error}.", hint="Debian: apt-get install libseccomp2"
        ) from error
