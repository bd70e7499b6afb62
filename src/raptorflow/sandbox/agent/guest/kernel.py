"""What Python has no function for, without the slow import of `ctypes`."""

import _ctypes
import errno
import os
import struct

RTLD_NOW = 2
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_SECCOMP = 38, 24, 22
SECCOMP_MODE_FILTER = 2
# `struct sock_filter` and `struct sock_fprog` (linux/filter.h).
INSTRUCTION_BYTES = 8
PROGRAM = struct.Struct("@HP")
LAST_CAPABILITY = 63
# What of a bytes object lies before its first byte; `array` knows addresses too, and takes long to import.
HEAD_BYTES = bytes.__basicsize__ - 1
# No name: what the interpreter has loaded already.
_functions = _ctypes.dlopen("", RTLD_NOW)


def call(function: str, *arguments: int | bytes | None) -> int:
    """Call a function of the C library; numbers are 32 bits wide, bytes are handed over by address.

    Returns:
        What it returned, -1 for every error.
    """
    return int(_ctypes.call_function(_ctypes.dlsym(_functions, function), arguments))


def become(user: int) -> None:
    """Give up being root for good: no capability is left, and none can be got back.

    Raises:
        OSError: it cannot be given up.
    """
    for capability in range(LAST_CAPABILITY + 1):
        call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def keep_powerless() -> None:
    """No program that is started from here on gains a right by being started."""
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def filter_calls(program: bytes) -> None:
    """Put this process, and all that it starts, under a system call filter. `no_new_privs` must be set.

    Args:
        program: the filter's instructions.

    Raises:
        OSError: they are none, or the kernel refused them.
    """
    count, rest = divmod(len(program), INSTRUCTION_BYTES)
    handed = PROGRAM.pack(count, id(program) + HEAD_BYTES)
    if rest or call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, handed, 0, 0):
        raise OSError(errno.EINVAL, "", b"the system call filter")
