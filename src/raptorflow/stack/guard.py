"""Starts a program that ends when its parent does: drops to an account, asks the kernel, then becomes it.

Run as a file by a bare interpreter, so that it costs milliseconds and needs nothing but the standard
library: `python -I -S guard.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT ...]`; a UID of -1 keeps the
account. The order matters: the kernel forgets the wish when the account changes (prctl(2)).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PRIVATE_UMASK = 0o077
PARENT_GONE = 70


def main(arguments: list[str]) -> None:
    """Become the program, unless the parent has already gone."""
    parent, signal, uid, gid = (int(number) for number in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(PRIVATE_UMASK)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        sys.exit(PARENT_GONE)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
