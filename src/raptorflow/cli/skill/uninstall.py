"""`raptorflow skill uninstall`: wish for less; what nothing needs any more goes. It asks no server."""

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.json import dumps
from raptorflow.cli.skill.dropping import dropped, dropped_json, show_dropped, take_away
from raptorflow.cli.skill.project import NotWished, Project
from raptorflow.skills.locking.lock import needed


def uninstall(
    name: str,
    *more: str,
    everywhere: Annotated[bool, Parameter(name="--global", negative="")] = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Take skills away from every client, with what only they have built on.

    Args:
        name: `namespace/name`, as in skills.toml.
        more: further ones.
        everywhere: those in the home folder.
        dry_run: show what would be done.
        json: print one JSON object.
    """
    project = Project.here(everywhere=everywhere)
    names = {name, *more}
    if unknown := sorted(names - project.wishes.keys()):
        raise NotWished(f"{unknown[0][:80]!r} is not wished for.")
    wishes = {each: wanted for each, wanted in project.wishes.items() if each not in names}
    used = needed(wishes, project.lock)
    gone = dropped(project, used, everywhere=everywhere)
    if not dry_run:
        take_away(gone)
        Project(project.folder, wishes, project.lock).keep({each: project.lock[each] for each in used})
    show_dropped(Console(highlight=False, quiet=json), gone, done=not dry_run)
    if json:
        print(dumps(dropped_json(gone)))
