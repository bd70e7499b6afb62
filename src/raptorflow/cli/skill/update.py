"""`raptorflow skill update`: the newest versions within the ranges, shown before it is done."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.skill.consent import ask, show_tree
from raptorflow.cli.skill.install import AS_USUAL, How
from raptorflow.cli.skill.project import Places, Project, put
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
    project = Project.read(Path.cwd())
    found = supply(connection_if_known(url, None, among), among or ())
    asyncio.run(
        _update(project, set(names or project.lock), found, Places(client or ["agents"], everywhere), how)
    )


async def _update(project: Project, fresh: set[str], found: Supply, places: Places, how: How) -> None:
    async with found:
        chosen = await project.chosen(found, fresh=fresh)
        changes = _changes(project, chosen)
        console = Console(highlight=False, quiet=how.json)
        if not changes:
            console.print("Every skill is the newest that fits.")
        elif how.dry_run:
            for change in changes:
                console.print(Text(f"{change['name']} {change['from']} -> {change['to']}"))
        else:
            show_tree(console, chosen, project.lock)
            ask(console, chosen, yes=how.yes)
            await put(project, chosen, found, places, force=how.force)
            project.save(chosen)
        if how.json:
            print(dumps({"changes": changes, "done": bool(changes) and not how.dry_run}))


def _changes(project: Project, chosen: dict[str, Candidate]) -> list[JsonObject]:
    changed = [
        name
        for name in chosen
        if name not in project.lock or project.lock[name].digest != chosen[name].digest
    ]
    return [
        {
            "name": name,
            "from": project.lock[name].version if name in project.lock else None,
            "to": chosen[name].version,
        }
        for name in sorted(changed)
    ]
