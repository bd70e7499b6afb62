"""What a dead manager left behind: control groups. Its sandboxes died with it, and their files with them.

Each manager that makes groups notes them in a file named after its process, and removes the file in the end.
A manager that starts removes what files of dead processes name. Groups do not outlive the machine's boot.
"""

import os
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.sandbox.drivers.local.processes import started_at
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.settings import SandboxSettings

PREFIX = "raptorflow-sandbox-"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Note:
    """One manager's note."""

    file: Path

    def write(self, folders: tuple[Path, ...]) -> None:
        """Name what this process made."""
        content = {
            "pid": os.getpid(),
            "started": started_at(os.getpid()),
            "boot": boot_id(),
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


def boot_id() -> str:
    """Changes with every start of the machine."""
    return BOOT_ID.read_text().strip()


def state_folder(settings: SandboxSettings) -> Path:
    """Where notes are kept: private, and gone with the boot unless the settings say otherwise.

    Raises:
        SandboxUnavailable: the folder belongs to somebody else.
    """
    folder = settings.state_dir or _runtime_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise SandboxUnavailable(
            f"{folder} belongs to another user.",
            hint="Set RAPTORFLOW_SANDBOX__STATE_DIR to a folder of your own.",
        )
    return folder


def reap(folder: Path) -> int:
    """Remove what dead managers left; how many there were. What still dies is left to the next one."""
    dead = [file for file in folder.glob(f"{PREFIX}*.json") if not _is_alive(file)]
    for file in dead:
        if all([remove_tree(group) for group in _folders(file)]):
            file.unlink(missing_ok=True)
    return len(dead)


def remove_noted(note: Note, folders: tuple[Path, ...]) -> None:
    """Remove what a note names, and the note; what still dies is left to the next manager."""
    if all([remove_tree(folder) for folder in folders]):
        note.erase()


def remove_tree(group: Path) -> bool:
    """Remove a group and those in it; whether it is gone."""
    if not group.name.startswith(PREFIX) or not group.is_dir():
        return True
    for child in sorted(group.iterdir()):
        if child.is_dir() and not child.is_symlink():
            with suppress(OSError):
                child.rmdir()
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def _runtime_folder() -> Path:
    if os.geteuid() == 0:
        return Path("/run/raptorflow/sandbox")
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and os.access(given, os.W_OK):
        return Path(given) / "raptorflow-sandbox"
    return Path(tempfile.gettempdir()) / f"raptorflow-sandbox-{os.geteuid()}"


def _is_alive(file: Path) -> bool:
    note = _read(file)
    same_boot = note.get("boot") == boot_id()
    pid = note.get("pid")
    return same_boot and isinstance(pid, int) and started_at(pid) == note.get("started")


def _folders(file: Path) -> list[Path]:
    return [Path(str(folder)) for folder in _read(file).get("folders", [])]


def _read(file: Path) -> JsonObject:
    try:
        value = loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast(JsonObject, value) if isinstance(value, dict) else {}
