"""What holds a machine on the host: a private folder, a user of its own, a control group, and a mark.

The mark stands among the arguments of every process of a machine, so that another process finds a machine
whose manager is dead. The folder's note names the rest of what must be removed.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.cgroups.group import Group
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.microvm.holding import (
    PREFIX,
    ManagerGroups,
    kill,
    names,
    remove_group,
)
from raptorflow.sandbox.drivers.microvm.notes import is_orphan, note_of, write_note
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.errors import SandboxStartFailed

MARK = re.compile(rb"(?:\0|=)" + PREFIX.encode() + rb"([A-Za-z0-9-]{1,64})\0")
IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,40}")
PRIVATE = 0o700


@dataclass(frozen=True)
class Cell:
    """One machine's place.

    Attributes:
        sandbox_id: whose it is.
        folder: private; for what the machine needs on disk.
        user: the user and group that it runs as; None where this program may not choose.
        group: holds its memory, processes and time; None where this user may make none.
    """

    sandbox_id: str
    folder: Path
    user: int | None
    group: Group | None

    @property
    def mark(self) -> str:
        """An argument of every process of the machine."""
        return PREFIX + self.sandbox_id


class Cells:
    """This manager's cells, and a way to find and remove those of others.

    Args:
        settings: where they lie, and which users there are.
    """

    def __init__(self, settings: MicroVmSettings) -> None:
        self._settings = settings
        self._place = settings.place() / "machines"
        self._users = settings.place() / "users"
        self._groups: ManagerGroups | None = None

    @property
    def version(self) -> int | None:
        """Of the control groups; None where there are none."""
        return self._own_groups().version

    def open(self, sandbox_id: str, blueprint: Blueprint, labels: Mapping[str, str]) -> Cell:
        """Make a cell.

        Args:
            sandbox_id: unique.
            blueprint: the limits of its group.
            labels: noted beside it, for whoever looks.

        Raises:
            SandboxStartFailed: there is one of this name, or it cannot be made.
        """
        if not IDENTIFIER.fullmatch(sandbox_id):
            raise SandboxStartFailed(f"{sandbox_id!r} cannot name a machine.")
        folder = self._place / sandbox_id
        try:
            folder.mkdir(PRIVATE, parents=True)
        except OSError as error:
            raise SandboxStartFailed(f"The machine {sandbox_id} cannot have a folder: {error}") from error
        try:
            groups = self._own_groups()
            made = [str(each) for each in groups.folders(sandbox_id)]
            write_note(folder, groups=made, labels=dict(labels))
            user = self._new_user(sandbox_id)
            group = groups.make(sandbox_id, blueprint)
        except OSError as error:
            self.remove(sandbox_id)
            raise SandboxStartFailed(f"The machine {sandbox_id} cannot be held: {error}") from error
        return Cell(sandbox_id, folder, user, group)

    def remove(self, sandbox_id: str) -> None:
        """End what is left of a machine, whoever made it, and remove all that it had."""
        if not IDENTIFIER.fullmatch(sandbox_id):
            return
        for pid in [pid for pid, name in self._processes() if name == sandbox_id]:
            kill(pid)
        folder = self._place / sandbox_id
        for group in _noted(folder):
            remove_group(group)
        for user in names(self._users):
            link = self._users / user
            if link.is_symlink() and os.readlink(link) == sandbox_id:
                link.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def found(self) -> set[str]:
        """Every machine on this machine: those that run, and those of which something is left."""
        return {name for _, name in self._processes()} | set(names(self._place))

    def reap(self) -> int:
        """Remove what dead managers left; how many machines that were."""
        dead = [name for name in names(self._place) if is_orphan(self._place / name)]
        for name in dead:
            self.remove(name)
        self._own_groups().reap()
        return len(dead)

    def close(self) -> None:
        """Remove this manager's groups; its machines are gone."""
        if self._groups:
            self._groups.close()
        self._groups = None

    def _own_groups(self) -> ManagerGroups:
        self._groups = self._groups or ManagerGroups()
        return self._groups

    def _new_user(self, sandbox_id: str) -> int | None:
        """A user that no other machine has: taken by a link that can be made only once."""
        if os.geteuid() != 0:
            return None
        self._users.mkdir(PRIVATE, parents=True, exist_ok=True)
        first = self._settings.first_uid
        for user in range(first, first + self._settings.uids):
            with suppress(FileExistsError):
                (self._users / str(user)).symlink_to(sandbox_id)
                return user
        raise OSError("every user for machines is taken")

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Processes that carry a mark and are ours: others may write into their arguments what they like."""
        users = range(self._settings.first_uid, self._settings.first_uid + self._settings.uids)
        for name in filter(str.isdigit, names(Path("/proc"))):
            with suppress(OSError):
                found = MARK.search(b"\0" + Path(f"/proc/{name}/cmdline").read_bytes())
                owner = os.stat(f"/proc/{name}").st_uid
                if found and (owner in users or owner == os.geteuid()):
                    yield int(name), found[1].decode()


def _noted(folder: Path) -> list[Path]:
    return [Path(str(group)) for group in note_of(folder).get("groups", [])]
