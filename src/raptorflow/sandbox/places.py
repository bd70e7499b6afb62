"""Folders of this user's own, outside of every sandbox, in which managers keep what they need."""

import os
import stat
import tempfile
from pathlib import Path

from raptorflow.sandbox.errors import SandboxUnavailable

WRITABLE_BY_OTHERS = 0o022
SYSTEM = Path("/run/raptorflow/sandbox")


def runtime_folder() -> Path:
    """Where managers keep things when nobody says where: made when missing, private, gone with the boot.

    Raises:
        SandboxUnavailable: somebody else could write there, or it cannot be made.
    """
    return private_folder(_runtime_place())


def _runtime_place() -> Path:
    if os.geteuid() == 0:
        return SYSTEM
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and os.access(given, os.W_OK):
        return Path(given) / "raptorflow-sandbox"
    return Path(tempfile.gettempdir()) / f"raptorflow-sandbox-{os.geteuid()}"


def private_folder(folder: Path) -> Path:
    """The folder, made when missing, which nobody else may write to or put another one in the place of.

    Raises:
        SandboxUnavailable: somebody else could, or it cannot be made.
    """
    try:
        _make(folder)
        others = [] if is_ours(folder) else [folder]
        others += filter(_can_be_replaced_below, _above(folder))
    except OSError as error:
        raise SandboxUnavailable(
            f"{folder} cannot be made: {error.strerror}.",
            hint="Set RAPTORFLOW_SANDBOX__STATE_DIR and XDG_RUNTIME_DIR to folders of your own.",
        ) from error
    if others:
        raise SandboxUnavailable(
            f"{others[0]} belongs to another user, or others may write to it.",
            hint="Set RAPTORFLOW_SANDBOX__STATE_DIR and XDG_RUNTIME_DIR to folders of your own, in folders "
            "that others may not write to.",
        )
    return folder


def _make(folder: Path) -> None:
    """Make it for us alone; folders above it may be passed through, and have no other writer in any umask."""
    for above in reversed(folder.parents):
        if not above.exists():
            above.mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _above(folder: Path) -> list[Path]:
    """The folders above it, and those above where links among them lead; the outermost first."""
    return sorted({*folder.absolute().parents, *folder.resolve().parents})


def _can_be_replaced_below(folder: Path) -> bool:
    """Whether somebody else may rename what is in it: neither we nor the system own it, or others may write.

    In a sticky folder others may write and rename only what is theirs. Whoever owns the root is the system.
    """
    facts = folder.lstat()
    if facts.st_uid not in {0, os.geteuid(), Path("/").stat().st_uid}:
        return True
    if stat.S_ISLNK(facts.st_mode) or facts.st_mode & stat.S_ISVTX:
        return False
    return bool(facts.st_mode & WRITABLE_BY_OTHERS)


def is_ours(path: Path) -> bool:
    """Whether it is this user's, no link to elsewhere, and nobody else may write to it."""
    facts = path.lstat()
    return facts.st_uid == os.geteuid() and not path.is_symlink() and not facts.st_mode & WRITABLE_BY_OTHERS
