"""Skills that are no longer used: their folders go, but for those that somebody has worked in."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import Conflict
from raptorflow.base.json import JsonObject
from raptorflow.cli.skill.project import Places, Project, plain_name
from raptorflow.skills.placing.clients import FOLDERS
from raptorflow.skills.placing.place import is_untouched, remove


class FolderShared(Conflict):
    """Two skills would lie in one folder."""

    code = "folder-shared"
    default_hint = "Clients know a skill by the last part of its name: wish for one of the two."


@dataclass(frozen=True)
class Dropped:
    """A folder of a skill that is no longer used.

    Attributes:
        untouched: it is still what was locked, and is taken away.
    """

    skill: str
    folder: Path
    untouched: bool


def dropped(project: Project, used: Collection[str], *, everywhere: bool) -> list[Dropped]:
    """The folders, at any client, of what is locked and not among what is used from now on.

    Raises:
        FolderShared: two of the used ones have one folder.
    """
    owners: dict[str, str] = {}
    for name in sorted(used):
        if other := owners.get(plain_name(name)):
            raise FolderShared(f"{other} and {name} would both lie in a folder {plain_name(name)}.")
        owners[plain_name(name)] = name
    every = Places(tuple(FOLDERS), everywhere)
    return [
        Dropped(name, target, is_untouched(target, {locked.digest}))
        for name, locked in sorted(project.lock.items())
        if plain_name(name) not in owners
        for target in every.folders(project.folder, name)
        if os.path.lexists(target) and not project.is_source(target, locked)
    ]


def take_away(gone: Sequence[Dropped]) -> None:
    """Remove the folders that nobody has touched.

    Raises:
        FolderUnwritable: one cannot be removed.
    """
    for each in gone:
        if each.untouched:
            remove(each.folder)


def show_dropped(console: Console, gone: Sequence[Dropped], *, done: bool) -> None:
    """A line a folder: removed, to be removed, or left."""
    for each in gone:
        why = f"{each.skill} is no longer needed"
        if not each.untouched:
            line = Text(f"! {each.folder} was changed and stays: {why}", "yellow")
        elif done:
            line = Text.assemble(("✓", "green"), f" removed {each.folder}: {why}")
        else:
            line = Text(f"would remove {each.folder}: {why}")
        console.print(line, soft_wrap=True)


def dropped_json(gone: Sequence[Dropped]) -> JsonObject:
    """The folders that go and those that stay, for a program."""
    return {
        "removed": [str(each.folder) for each in gone if each.untouched],
        "left": [str(each.folder) for each in gone if not each.untouched],
    }
