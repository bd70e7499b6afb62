"""Firecracker's jailer: a root folder, a user, a process namespace and limits for each machine.

The jailer itself is started in the machine's control group, where what it starts stays.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.firecracker.api import SOCKET
from raptorflow.sandbox.drivers.microvm.process import Process
from raptorflow.sandbox.errors import SandboxStartFailed

OPEN_FILES = 256
READABLE = 0o644
FOLDER = 0o755


@dataclass(frozen=True)
class Jail:
    """One machine's jail.

    Attributes:
        cell: holds it.
        firecracker: the program that is jailed.
        jailer: the program that jails it.
    """

    cell: Cell
    firecracker: Path
    jailer: Path

    @property
    def root(self) -> Path:
        """What Firecracker sees as `/`; the jailer fixes the names on the way."""
        return self.cell.folder / "jail" / self.firecracker.name / self.cell.mark / "root"

    def fill(self, files: Mapping[str, Path]) -> None:
        """Show files inside, under these names; nothing is copied within one file system.

        Raises:
            SandboxStartFailed: one cannot be shown.
        """
        self.root.mkdir(FOLDER, parents=True)
        for name, file in files.items():
            try:
                _show(file, self.root / name)
            except OSError as error:
                raise SandboxStartFailed(f"{file.name} cannot be put into the jail: {error}") from error

    def command(self, version: int | None, file_bytes: int) -> list[str]:
        """The jailer's command line.

        Args:
            version: of this machine's control groups.
            file_bytes: how large a file may become: Firecracker writes snapshots and nothing else.
        """
        who = str(self.cell.user)
        return [
            *(str(self.jailer), "--id", self.cell.mark, "--exec-file", str(self.firecracker)),
            *("--uid", who, "--gid", who, "--chroot-base-dir", str(self.cell.folder / "jail")),
            *("--new-pid-ns", "--cgroup-version", str(version or 1)),
            *("--resource-limit", f"no-file={OPEN_FILES}", "--resource-limit", f"fsize={file_bytes}"),
            *("--", "--api-sock", f"/{SOCKET}", "--level", "Warning"),
        ]

    def process(self) -> Process | None:
        """Firecracker's process, as the jailer noted it; None before that, and when it is gone."""
        try:
            return Process(int((self.root / f"{self.firecracker.name}.pid").read_text()))
        except (OSError, ValueError):
            return None

    def take(self, name: str, target: Path) -> None:
        """Move out a file that Firecracker has written.

        Raises:
            OSError: there is none.
        """
        written = self.root / name
        os.chown(written, 0, 0)
        shutil.move(written, target)
        # Whoever goes on from it is another user, behind a folder that is private.
        target.chmod(READABLE)


def _show(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)
        place.chmod(READABLE)
