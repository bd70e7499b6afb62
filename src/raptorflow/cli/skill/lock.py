"""`raptorflow skill lock`: write down the versions of a project's skills, or check the installed ones."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.json import dumps
from raptorflow.cli.skill.consent import show_tree
from raptorflow.cli.skill.drift import drift_of
from raptorflow.cli.skill.dropping import Dropped, dropped
from raptorflow.cli.skill.project import Places, Project
from raptorflow.cli.skill.resolve import as_json, connection_if_known
from raptorflow.cli.skill.supply import Supply, supply
from raptorflow.skills.locking.lock import check_agreement
from raptorflow.skills.placing.clients import Client
from raptorflow.skills.resolving.model import Candidate


def lock(
    *,
    verify: bool = False,
    client: Annotated[list[Client] | None, Parameter(negative="")] = None,
    everywhere: Annotated[bool, Parameter(name="--global", negative="")] = False,
    among: Annotated[list[Path] | None, Parameter(negative="")] = None,
    json: bool = False,
    url: str | None = None,
) -> None:
    """Write skills.lock for the wishes in skills.toml; with `--verify` compare what is installed with it.

    Args:
        verify: name everything that is not as the lock says, exit 1 when something is; asks no server.
        client: agents, claude, codex, cursor or vscode; `agents` when not given.
        everywhere: your own lock, of what is installed in the home folder.
        among: folders of skills at hand, which stand in for those of a server.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    project = Project.here(everywhere=everywhere)
    if verify:
        _verify(project, Places(client or ["agents"], everywhere), as_object=json)
        return
    found = supply(connection_if_known(url, None, among), among or ())
    chosen, unused = asyncio.run(_locked(project, found, everywhere=everywhere))
    if json:
        print(dumps({"skills": as_json(chosen), "left": [str(each.folder) for each in unused]}))
        return
    console = Console(highlight=False)
    show_tree(console, chosen, project.lock)
    for each in unused:
        line = Text(f"! {each.folder} is not locked any more, and stays until you remove it", "yellow")
        console.print(line, soft_wrap=True)


def _verify(project: Project, places: Places, *, as_object: bool) -> None:
    check_agreement(project.wishes, project.lock)
    compared = [
        drift_of(name, project.lock, folder)
        for name in sorted(project.lock)
        for folder in places.folders(project.folder, name)
    ]
    told = [each for each in compared if each]
    if as_object:
        print(dumps({"ok": not told, "drifted": [each.as_json() for each in told]}))
    elif told:
        print("\n".join(f"{sentence}." for each in told for sentence in each.sentences()))
    else:
        print(f"All {len(project.lock)} skills are as skills.lock says.")
    if told:
        sys.exit(1)


async def _locked(
    project: Project, found: Supply, *, everywhere: bool
) -> tuple[dict[str, Candidate], list[Dropped]]:
    async with found:
        chosen = await project.chosen(found)
    unused = dropped(project, chosen, everywhere=everywhere)
    project.save(chosen)
    return chosen, unused
