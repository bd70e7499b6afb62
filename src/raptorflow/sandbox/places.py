"""Folders of this user's own, outside of every sandbox, in which managers keep what they need."""

import os
import tempfile
from pathlib import Path

from raptorflow.sandbox.errors import SandboxUnavailable

WRITABLE_BY_OTHERS = 0o022
SYSTEM = Path("/run/raptorflow/sandbox")


def runtime_folder() -> Path:
    """Where it lies when nobody says where; gone with the boot."""
    if os.geteuid() == 0:
        return SYSTEM
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and os.access(given, os.W_OK):
        return Path(given) / "raptorflow-sandbox"
    return Path(tempfile.gettempdir()) / f"raptorflow-sandbox-{os.geteuid()}"


def private_folder(folder: Path) -> Path:
    """The folder, made when missing, which nobody else may write to.

    Raises:
        SandboxUnavailable: somebody else could, or it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = is_ours(folder)
    except OSError as error:
        raise SandboxUnavailable(
            f"{folder} cannot be made: {error.strerror}.",
            hint="Set RAPTORFLOW_SANDBOX__STATE_DIR and XDG_RUNTIME_DIR to folders of your own.",
        ) from error
    if not ours:
        raise SandboxUnavailable(
            f"{folder} belongs to another user, or others may write to it.",
            hint="Set RAPTORFLOW_SANDBOX__STATE_DIR to a folder of your own.",
        )
    return folder


def is_ours(path: Path) -> bool:
    """Whether it is this user's, no link to elsewhere, and nobody else may write to it."""
    facts = path.lstat()
    return facts.st_uid == os.geteuid() and not path.is_symlink() and not facts.st_mode & WRITABLE_BY_OTHERS
