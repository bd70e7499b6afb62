"""A note beside what a manager has on disk: whose it is, and what else must be removed with it."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import cast

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.sandbox.born import born

NOTE = "note.json"
# The note follows the folder at once, or never.
UNNOTED_SECONDS = 300.0


def write_note(folder: Path, **facts: object) -> None:
    """Note facts about a folder, and that this process manages it.

    Raises:
        OSError: it cannot be written.
    """
    (folder / NOTE).write_text(dumps({**facts, "manager": born(os.getpid())}))


def note_of(folder: Path) -> JsonObject:
    """What is noted; nothing when there is no note."""
    try:
        note = loads((folder / NOTE).read_bytes())
    except (OSError, ValueError):
        return {}
    return cast(JsonObject, note) if isinstance(note, dict) else {}


def is_orphan(folder: Path) -> bool:
    """Whether the manager that a folder's note names is dead; without a note, whether none will come."""
    manager = note_of(folder).get("manager")
    if manager:
        return born(int(manager[0])) != manager
    with suppress(OSError):
        return folder.stat().st_mtime < time.time() - UNNOTED_SECONDS
    return False
