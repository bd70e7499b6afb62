"""Where a manager's frozen machines are on disk, and how another removes those of a dead one."""

import shutil
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.holding import names
from raptorflow.sandbox.drivers.microvm.notes import is_orphan, write_note

PRIVATE = 0o700


class Snapshots:
    """The folders of this manager's snapshots.

    Args:
        place: has those of every manager.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._own: set[Path] = set()

    def folder(self, name: str) -> Path:
        """Where the one of this name is, or would be."""
        return self._place / name

    def make(self, folder: Path) -> None:
        """Make one, with nothing in it but a note of whose it is.

        Raises:
            OSError: it is there, or cannot be made.
        """
        folder.mkdir(PRIVATE, parents=True)
        self._own.add(folder)
        write_note(folder)

    def remove(self, folder: Path) -> None:
        """Remove one of this manager's; machines that go on from it have what they need of it open."""
        if folder in self._own:
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            self._own.discard(folder)

    def reap(self) -> int:
        """Remove those of dead managers; how many that were."""
        dead = [name for name in names(self._place) if is_orphan(self._place / name)]
        for name in dead:
            shutil.rmtree(self._place / name, ignore_errors=True)
        return len(dead)

    def close(self) -> None:
        """Remove this manager's."""
        for folder in tuple(self._own):
            self.remove(folder)
