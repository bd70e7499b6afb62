"""`raptorflow skill update`: the newest versions within the ranges, shown before it is done."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.skill.consent import ask, show_tree
from raptorflow.cli.skill.dropping import dropped, dropped_json, show_dropped, take_away
from raptorflow.cli.skill.install import AS_USUAL, How
from raptorflow.cli.skill.project import NotWished, Places, Project, put
from raptorflow.cli.skill.resolve import connection_if_known
from raptorflow.cli.skill.supply import Supply, supply
from raptorflow.skills.placing.clients import Client
from raptorflow.skills.resolving.model import Candidate


def update(
    *names: str,
    client: Annotated[list[Client] | None, Parameter(negative="")] = None,
    everywhere: Annotated[bool, Parameter(name="--global", negative="")] = False,
    among: Annotated[list[Path] | None, Parameter(negative="")] = None,
    how: Annotated[How, Parameter(name="*")] = AS_USUAL,
    url: str | None = None,
) -> None:
    """Move the project's skills to the newest versions that fit; `--dry-run` lists what is outdated.

    Args:
        names: only these skills; all when none is given.
        client: agents, claude, codex, cursor or vscode; `agents` when not given.
        everywhere: into the home folder, for every project.
        among: folders of skills at hand, which stand in for those of a server.
        how: see below.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    project = Project.here(everywhere=everywhere)
    known = project.wishes.keys() | project.lock.keys()
    if unknown := sorted(set(names) - known):
        raise NotWished(f"{unknown[0][:80]!r} is neither wished for nor locked.")
    found = supply(connection_if_known(url, None, among), among or ())
    asyncio.run(
        _update(project, set(names or project.lock), found, Places(client or ["agents"], everywhere), how)
    )


async def _update(project: Project, fresh: set[str], found: Supply, places: Places, how: How) -> None:
    async with found:
        chosen = await project.chosen(found, fresh=fresh)
        changes = _changes(project, chosen)
        gone = dropped(project, chosen, everywhere=places.everywhere)
        console = Console(highlight=False, quiet=how.json)
        if not changes:
            console.print("Every skill is the newest that fits.")
        elif how.dry_run:
            for change in changes:
                console.print(
                    Text(f"{change['name']} {change['from'] or 'new'} -> {change['to'] or 'removed'}")
                )
            show_dropped(console, gone, done=False)
        else:
            show_tree(console, chosen, project.lock)
            ask(console, chosen, yes=how.yes)
            await put(project, chosen, found, places, force=how.force)
            take_away(gone)
            project.save(chosen)
            show_dropped(console, gone, done=True)
        if how.json:
            told = {"changes": changes, "done": bool(changes) and not how.dry_run}
            print(dumps(told | dropped_json(gone)))


def _changes(project: Project, chosen: Mapping[str, Candidate]) -> list[JsonObject]:
    """Every skill that comes, goes or gets another content; no version where there is none."""
    before = {name: (one.digest, one.version) for name, one in project.lock.items()}
    after = {name: (one.digest, one.version) for name, one in chosen.items()}
    nothing = ("", None)
    return [
        {"name": name, "from": before.get(name, nothing)[1], "to": after.get(name, nothing)[1]}
        for name in sorted(before.keys() | after.keys())
        if before.get(name, nothing)[0] != after.get(name, nothing)[0]
    ]
