"""Which folders are meant: a skill's own, or every skill's below one that is none."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from raptorflow.skills.files import EXCLUDED_FOLDERS
from raptorflow.skills.frontmatter import FILE
from raptorflow.skills.placing.beside import lies_beside

MAX_DEPTH = 8


def skill_folders(given: Iterable[Path]) -> Iterator[Path]:
    """Each folder that has a `SKILL.md`, and those below one that has none; itself, if there are none."""
    for folder in given:
        if os.path.isfile(folder / FILE):
            yield folder
            continue
        inside = sorted(_below(folder))
        yield from inside or [folder]


def _below(folder: Path) -> Iterator[Path]:
    """Folders with a `SKILL.md`, not those inside of another skill; links are not followed."""
    for root, folders, names in os.walk(folder):
        place = Path(root)
        if FILE in names:
            folders.clear()
            yield place
        deep = len(place.relative_to(folder).parts) >= MAX_DEPTH
        folders[:] = [] if deep else sorted(filter(_may_hold_skills, folders))


def _may_hold_skills(name: str) -> bool:
    """Other hidden folders may: clients have theirs in `.agents`, `.claude` and the like."""
    return name not in EXCLUDED_FOLDERS and not lies_beside(name)
