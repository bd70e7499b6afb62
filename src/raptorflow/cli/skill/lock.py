"""`raptorflow skill lock`: write down the versions of a project's skills, or check the installed ones."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.json import dumps
from raptorflow.cli.skill.consent import show_tree
from raptorflow.cli.skill.project import Places, Project, drifted
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
        everywhere: compare what is installed in the home folder.
        among: folders of skills at hand, which stand in for those of a server.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    project = Project.read(Path.cwd())
    if verify:
        _verify(project, Places(client or ["agents"], everywhere), as_object=json)
        return
    found = supply(connection_if_known(url, None, among), among or ())
    chosen = asyncio.run(_locked(project, found))
    if json:
        print(dumps({"skills": as_json(chosen)}))
    else:
        show_tree(Console(highlight=False), chosen, project.lock)


def _verify(project: Project, places: Places, *, as_object: bool) -> None:
    check_agreement(project.wishes, project.lock)
    told = drifted(project, places)
    if as_object:
        print(dumps({"ok": not told, "drifted": told}))
    elif told:
        print("\n".join(f"{sentence}." for sentence in told))
    else:
        print(f"All {len(project.lock)} skills are as skills.lock says.")
    if told:
        sys.exit(1)


async def _locked(project: Project, found: Supply) -> dict[str, Candidate]:
    async with found:
        chosen = await project.chosen(found)
    project.save(chosen)
    return chosen
