"""What Python has no function for, without the slow import of `ctypes`."""

import _ctypes
import os

RTLD_NOW = 2
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
LAST_CAPABILITY = 63
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
