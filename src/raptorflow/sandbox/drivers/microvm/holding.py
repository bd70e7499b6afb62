"""A manager's control groups, by which the next manager tells whether it lives, and removes them when not.

Their names say which process made them, and since when it runs. Each is also locked while that process lives:
a manager in another process namespace is not seen, and its lock is.
"""

import fcntl
import os
import re
import select
import signal
import uuid
from contextlib import suppress
from pathlib import Path

from raptorflow.sandbox.born import born
from raptorflow.sandbox.cgroups.detect import find_groups
from raptorflow.sandbox.cgroups.group import Group
from raptorflow.sandbox.driver import Blueprint

PREFIX = "raptorflow-microvm-"
OF_MANAGERS = f"{PREFIX}manager-"
NAME = re.compile(OF_MANAGERS + r"(\d+)-(\d+)-[0-9a-f]{8}")
DYING_SECONDS = 5.0
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class ManagerGroups:
    """The groups of this process's machines, in every hierarchy; none where this user may make none."""

    def __init__(self) -> None:
        pid, started, _ = born(os.getpid())
        self._groups = find_groups(f"{OF_MANAGERS}{pid}-{started}-{uuid.uuid4().hex[:8]}")
        self._folders = self._groups.folders if self._groups else ()
        self._locks = [os.open(folder, FOLDER) for folder in self._folders]
        for lock in self._locks:
            fcntl.flock(lock, fcntl.LOCK_EX)

    @property
    def version(self) -> int | None:
        """Of the control groups; None where there are none."""
        return self._groups.version if self._groups else None

    def folders(self, name: str) -> list[Path]:
        """Where a machine's group is, or would be."""
        return [folder / name for folder in self._folders]

    def make(self, name: str, blueprint: Blueprint) -> Group | None:
        """A group with a blueprint's limits.

        Raises:
            OSError: it cannot be made.
        """
        return self._groups.make(name, blueprint) if self._groups else None

    def reap(self) -> None:
        """Remove the groups of dead managers beside our own, with what is in them."""
        for place in {folder.parent for folder in self._folders}:
            for folder in map(place.joinpath, names(place)):
                if _is_dead(folder):
                    for name in names(folder):
                        remove_group(folder / name)
                    _remove(folder)

    def close(self) -> None:
        """Remove the groups; the machines are gone."""
        for folder in self._folders:
            _remove(folder)
        for lock in self._locks:
            os.close(lock)
        self._locks = []


def remove_group(group: Path) -> None:
    """A machine's group, with what runs in it, and its manager's when that is dead."""
    if not group.parent.name.startswith(OF_MANAGERS) or not group.is_dir():
        return
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text().split():
            kill(int(pid))
    _remove(group)
    if _is_dead(group.parent):
        _remove(group.parent)


def kill(pid: int) -> None:
    """Kill a process and wait until it is gone: only then its group is empty."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], DYING_SECONDS)
    except OSError:
        return
    finally:
        os.close(process)


def names(folder: Path) -> list[str]:
    """What is in a folder; nothing when it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_dead(folder: Path) -> bool:
    """Whether the manager whose group this is has ended; its number may have gone to another process."""
    named = NAME.fullmatch(folder.name)
    return bool(named) and born(int(named[1]))[1:2] != [named[2]] and not _is_locked(folder)


def _is_locked(folder: Path) -> bool:
    """Whether its manager lives out of our sight; also when that cannot be told."""
    try:
        lock = os.open(folder, FOLDER)
    except OSError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _remove(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
