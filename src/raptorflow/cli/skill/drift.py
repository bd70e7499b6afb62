"""What is installed and not as the lock says, file by file; it asks nobody."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from raptorflow.base.json import JsonObject
from raptorflow.skills.findings import Finding
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking.lock import Lock, Locked
from raptorflow.skills.placing.place import list_folder
from raptorflow.skills.text import printable

State = Literal["missing", "not-a-folder", "changed"]


@dataclass(frozen=True)
class FileDrift:
    """A file, the code of what became of it, and the same as a sentence."""

    path: str
    change: str
    words: str


@dataclass(frozen=True)
class FolderDrift:
    """A skill's folder that is not what was locked.

    Attributes:
        files: empty where the lock does not say which files there are.
    """

    skill: str
    version: str
    folder: Path
    state: State
    files: Sequence[FileDrift] = ()

    def sentences(self) -> list[str]:
        """For a person, each without its full stop."""
        what = f"{self.skill} {self.version}"
        if self.state == "missing":
            return [f"{what} is not installed in {self.folder}"]
        if self.state == "not-a-folder":
            return [f"{self.folder} is a link or a file, and not the folder of {what}"]
        hint = "the lock lists no files: `raptorflow skill lock` notes them"
        return [f"{self.folder}/{each.words}" for each in self.files] or [
            f"{self.folder} is not {what}; {hint}"
        ]

    def as_json(self) -> JsonObject:
        """For a program."""
        files = [{"path": each.path, "change": each.change} for each in self.files]
        return {"skill": self.skill, "version": self.version} | {
            "folder": str(self.folder),
            "state": self.state,
            "files": files,
        }


def drift_of(name: str, lock: Lock, folder: Path) -> FolderDrift | None:
    """How a skill's folder differs from what is locked; None when it does not."""
    locked = lock[name]
    if not os.path.lexists(folder):
        return FolderDrift(name, locked.version, folder, "missing")
    if folder.is_symlink() or not folder.is_dir():
        return FolderDrift(name, locked.version, folder, "not-a-folder")
    there, problems = list_folder(folder)
    if not problems and there.digest() == locked.digest:
        return None
    return FolderDrift(name, locked.version, folder, "changed", list(_files(locked, there, problems)))


def _files(locked: Locked, there: Listing, problems: Sequence[Finding]) -> Iterator[FileDrift]:
    for each in problems:
        said = each.message.rstrip(".")
        words = said if said.startswith(each.file) else f"{each.file}: {said}"
        yield FileDrift(each.file, each.code.removeprefix("skill/"), words)
    if locked.listing is None:
        return
    for each in locked.listing.differences(there):
        if each.path not in there.files and _unseen(each.path, problems):
            continue
        if any(printable(each.path) == problem.file for problem in problems):
            continue
        yield FileDrift(printable(each.path), each.change, str(each))


def _unseen(path: str, problems: Sequence[Finding]) -> bool:
    """Whether a file may be there all the same: nothing was read behind a limit, or in a closed folder."""
    closed = [each.file for each in problems if each.code == "skill/unreadable"]
    return any(each.code == "skill/too-large" for each in problems) or any(
        place == "." or path.startswith(f"{place}/") for place in closed
    )
