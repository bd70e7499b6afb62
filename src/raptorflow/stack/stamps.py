"""Notes of what an embedded database has already: they lie beside it, and go with it.

A database that is reached by URL has none, and is asked or brought forward with every start.
"""

from pathlib import Path

from raptorflow.stack.places import write_private

ENDING = ".ready"


def has_stamp(folder: Path | None, name: str, text: str) -> bool:
    """Whether this text was noted under a name."""
    file = folder / f"{name}{ENDING}" if folder else None
    return file is not None and file.exists() and file.read_text() == text


def put_stamp(folder: Path | None, name: str, text: str) -> None:
    """Note a text under a name."""
    if folder:
        write_private(folder / f"{name}{ENDING}", text)


def clear_stamps(folder: Path) -> None:
    """Forget everything: the database is made anew."""
    for file in folder.glob(f"*{ENDING}"):
        file.unlink()
