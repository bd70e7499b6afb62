"""A program beside the interpreter of a session: it can be ended without ending everything inside.

    PYTHON -I -S -c "... from guest.beside import main; main(sys.argv[1:])" PROGRAM ARGUMENT...

Ends the program, and what that has started, when its own standard input ends or says anything; and what the
program has left running when the program ends.
"""

import errno
import os
import select
import sys

from . import kernel
from .light import signal

BECOME_REAPER = 36
NOT_FOUND, NOT_STARTED = 127, 126


def main(arguments: list[str]) -> None:
    """Run the program; end as it ended."""
    kernel.call("prctl", BECOME_REAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        _become(arguments)
    watched = os.pidfd_open(child)
    ready = select.poll()
    for descriptor in (watched, 0):
        ready.register(descriptor, select.POLLIN)
    if watched not in {descriptor for descriptor, _ in ready.poll()}:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    _end_rest()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(max(0, code))


def _become(arguments: list[str]) -> None:
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.execvp(arguments[0], arguments)
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: {os.strerror(error.errno or 0)}\n")
        sys.stderr.flush()
        os._exit(NOT_FOUND if error.errno == errno.ENOENT else NOT_STARTED)


def _end_rest() -> None:
    """Orphans become children of this process; end them until there are none."""
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []
