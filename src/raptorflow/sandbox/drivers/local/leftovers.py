"""What a dead manager left behind. Its sandboxes died with it, and their files with them.

Two things did not:

- its control groups stay, and
- a bubblewrap whose parent was killed in the millisecond when it starts its second process leaves that one
  behind, waiting for ever. It has run nothing of a skill's.

Each manager notes its groups in a file of its own name, which its bubblewraps have among their arguments, and
removes the file in the end. A manager that starts clears away what belongs to files of dead processes.
"""

import os
import signal
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.sandbox.born import born
from raptorflow.sandbox.drivers.local.processes import named
from raptorflow.sandbox.places import private_folder, runtime_folder
from raptorflow.sandbox.settings import SandboxSettings

DYING_SECONDS = 2.0
AGAIN_SECONDS = 0.01
PREFIX = "raptorflow-sandbox-"


@dataclass(frozen=True)
class Note:
    """One manager's note."""

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        """Where it stands."""
        return self.folder / f"{self.name}.json"

    def write(self, folders: tuple[Path, ...]) -> None:
        """Name what this process made."""
        pid, started, boot = born(os.getpid())
        content = {
            "pid": int(pid),
            "started": int(started),
            "boot": boot,
            "folders": [str(folder) for folder in folders],
        }
        # In one step: a half-written note would look like a dead manager's.
        draft = self.file.with_suffix(".draft")
        draft.write_text(dumps(content))
        draft.replace(self.file)

    def erase(self) -> None:
        """Nothing is left that it names."""
        self.file.unlink(missing_ok=True)


def new_name() -> str:
    """A name for this manager's groups."""
    return f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def state_folder(settings: SandboxSettings) -> Path:
    """Where notes are kept: private, and gone with the boot unless the settings say otherwise.

    Raises:
        SandboxUnavailable: somebody else could write notes there.
    """
    return private_folder(settings.state_dir.resolve()) if settings.state_dir else runtime_folder()


def reap(folder: Path) -> int:
    """Remove what dead managers left; how many there were. What still dies is left to the next one."""
    dead = [file for file in folder.glob(f"{PREFIX}*.json") if not _is_alive(file)]
    for file in dead:
        for pid in named(file.stem):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if all([remove_tree(group) for group in _folders(file)]):
            file.unlink(missing_ok=True)
    return len(dead)


def remove_noted(note: Note, folders: tuple[Path, ...]) -> None:
    """Remove what a note names, and the note; what still dies is left to the next manager."""
    if all([remove_tree(folder) for folder in folders]):
        note.erase()


def remove_tree(group: Path) -> bool:
    """Remove a group and those in it, ending what still runs there; whether it is gone."""
    if not group.name.startswith(PREFIX):
        return True
    until = time.monotonic() + DYING_SECONDS
    while not _removed(group) and time.monotonic() < until:
        time.sleep(AGAIN_SECONDS)
    return not group.exists()


def _removed(group: Path) -> bool:
    """Try once. A killed process leaves its group when its memory is freed, which takes a moment."""
    if not group.is_dir():
        return True
    for child in (entry for entry in sorted(group.iterdir()) if entry.is_dir()):
        _kill_all(child)
        with suppress(OSError):
            child.rmdir()
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def _kill_all(group: Path) -> None:
    """Sandboxes die with their manager; should one have survived, it ends here."""
    with suppress(OSError):
        for pid in (group / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def _is_alive(file: Path) -> bool:
    note = _read(file)
    pid = note.get("pid")
    return isinstance(pid, int) and born(pid) == [str(note.get(name)) for name in ("pid", "started", "boot")]


def _folders(file: Path) -> list[Path]:
    return [Path(str(folder)) for folder in _read(file).get("folders", [])]


def _read(file: Path) -> JsonObject:
    try:
        value = loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast(JsonObject, value) if isinstance(value, dict) else {}
