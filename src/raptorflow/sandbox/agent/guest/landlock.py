"""Landlock: a second hold on files and signals, for what a program starts with and all that it starts.

Rights and numbers: linux/landlock.h. Reading is allowed wherever the mounts show something; writing only in
the working folders; signals and abstract sockets stay among the program's own processes, so it cannot end the
agent.
"""

import errno
import os
import struct

from .kernel import call

CREATE, ADD, RESTRICT = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK, IOCTL_DEV = 1 << 6, 1 << 11, 1 << 15
# How many rights on files each version of Landlock knows (index 0: version 1).
RIGHTS = (13, 14, 15, 15, 16)
SCOPES_SINCE, NETWORK_SINCE = 6, 4
ABSTRACT_SOCKETS, SIGNALS = 1, 2
DEV = "/dev"
WRITABLE = ("/workspace", f"{os.sep}tmp", f"{DEV}/shm")


class Landlock:
    """The rules, made once; each program puts itself under them before it starts."""

    def __init__(self) -> None:
        known = max(0, call("syscall", CREATE, None, 0, ASK_VERSION))
        self._rules = _made(known) if known else -1
        # What cannot be used is not claimed.
        self.version = known if self._rules >= 0 else 0

    def restrict(self) -> None:
        """Put this process under the rules. `no_new_privs` must be set.

        Raises:
            OSError: the kernel refused.
        """
        if self._rules >= 0 and call("syscall", RESTRICT, self._rules, 0):
            raise OSError(errno.EPERM, "Landlock refused its rules")


def _made(version: int) -> int:
    """The rules' descriptor, or -1."""
    every = (1 << RIGHTS[min(version, len(RIGHTS)) - 1]) - 1
    scopes = ABSTRACT_SOCKETS | SIGNALS if version >= SCOPES_SINCE else 0
    size = 24 if scopes else 16 if version >= NETWORK_SINCE else 8
    rules = call("syscall", CREATE, struct.pack("=QQQ", every, 0, scopes)[:size], size, 0)
    if rules < 0:
        return -1
    _allow(rules, "/", (EXECUTE | READ_FILE | READ_DIR) & every)
    _allow(rules, DEV, (READ_FILE | READ_DIR | WRITE_FILE | IOCTL_DEV) & every)
    for place in WRITABLE:
        _allow(rules, place, every & ~(MAKE_CHAR | MAKE_BLOCK))
    return rules


def _allow(rules: int, place: str, rights: int) -> None:
    try:
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    call("syscall", ADD, rules, PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    os.close(opened)
