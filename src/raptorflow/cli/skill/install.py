"""`raptorflow skill install`: skills into the folders of clients, as the lock says; or onto a server."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import InvalidInput
from raptorflow.base.json import dumps
from raptorflow.cli.client import ApiClient
from raptorflow.cli.connection import read_connection
from raptorflow.cli.skill.consent import ask, show_tree
from raptorflow.cli.skill.dropping import dropped, dropped_json, show_dropped, take_away
from raptorflow.cli.skill.project import Places, Project, put
from raptorflow.cli.skill.resolve import as_json, connection_if_known
from raptorflow.cli.skill.supply import Supply, supply
from raptorflow.skills.locking.lock import LockOutdated, check_agreement
from raptorflow.skills.locking.project import read_wishes
from raptorflow.skills.placing.clients import Client
from raptorflow.skills.resolving.model import Candidate


@dataclass(frozen=True)
class How:
    """How to install: `--yes`, `--force`, `--frozen`, `--dry-run`, `--json`, `--global`."""

    yes: bool = False
    """Agree to what the skills may do."""
    force: bool = False
    """Replace what was not installed or was changed, and leave a copy beside it."""
    frozen: bool = False
    """Install exactly what is locked; fail when that is not what is wished for."""
    dry_run: bool = False
    """Show what would be done."""
    json: bool = False
    """Print one JSON object."""


AS_USUAL = How()


def install(
    *wishes: str,
    client: Annotated[list[Client] | None, Parameter(negative="")] = None,
    everywhere: Annotated[bool, Parameter(name="--global", negative="")] = False,
    among: Annotated[list[Path] | None, Parameter(negative="")] = None,
    server: bool = False,
    how: Annotated[How, Parameter(name="*")] = AS_USUAL,
    url: str | None = None,
) -> None:
    """Install skills and what they build on; without names, what the project in this folder wishes for.

    Args:
        wishes: `namespace/name`, or `namespace/name@^1.2`.
        client: agents, claude, codex, cursor or vscode; `agents` (.agents/skills) when not given.
        everywhere: into the home folder, for every project; wishes and lock are then your own, too.
        among: folders of skills at hand, which stand in for those of a server.
        server: install for your organisation on the server instead, with what the skill declares.
        how: see below.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    if server:
        if client or everywhere or among or how.frozen or how.force:
            hint = "Leave out --client, --global, --among, --frozen and --force."
            raise InvalidInput("On a server, skills are installed for the whole organisation.", hint=hint)
        asyncio.run(_on_server(wishes, url, how))
        return
    project = Project.here(everywhere=everywhere).wishing(wishes)
    places = Places(client or ["agents"], everywhere)
    if how.frozen:
        check_agreement(project.wishes, project.lock)
    found = supply(connection_if_known(url, None, among), among or ())
    asyncio.run(_install(project, found, places, how))


async def _install(project: Project, found: Supply, places: Places, how: How) -> None:
    async with found:
        chosen = await project.chosen(found)
        if how.frozen:
            _check_frozen(project, chosen)
        gone = dropped(project, chosen, everywhere=places.everywhere)
        console = Console(highlight=False, quiet=how.json)
        show_tree(console, chosen, project.lock)
        written: list[Path] = []
        if not how.dry_run:
            ask(console, chosen, yes=how.yes)
            written = await put(project, chosen, found, places, force=how.force)
            take_away(gone)
            if not how.frozen:
                project.save(chosen)
    for path in written:
        console.print(Text.assemble(("✓", "green"), f" {path}"), soft_wrap=True)
    show_dropped(console, gone, done=not how.dry_run)
    if not (written or gone or how.dry_run):
        console.print("Nothing had to be written.")
    if how.json:
        told = {"skills": as_json(chosen), "written": [str(path) for path in written]}
        print(dumps(told | dropped_json(gone)))


def _check_frozen(project: Project, chosen: Mapping[str, Candidate]) -> None:
    """The server has to have exactly what was locked, and nothing that it did not build on then."""
    for name, locked in project.lock.items():
        there = chosen.get(name)
        if there is None or (there.digest, dict(there.requires)) != (locked.digest, dict(locked.requires)):
            raise LockOutdated(f"{name} {locked.version} is not to be had as it was locked.")
    if added := sorted(chosen.keys() - project.lock.keys()):
        raise LockOutdated(f"{added[0]} is needed now, and was not locked.")


async def _on_server(wishes: tuple[str, ...], url: str | None, how: How) -> None:
    console = Console(highlight=False, quiet=how.json)
    found = supply(read_connection(url), ())
    async with found:
        project = Project(Path(), {} if wishes else read_wishes(Path.cwd()), {}).wishing(wishes)
        chosen = await project.chosen(found)
        show_tree(console, chosen, {})
        if not how.dry_run:
            ask(console, chosen, yes=how.yes)
            for name, candidate in chosen.items():
                await _install_one(found.server(), name, candidate)
                console.print(f"[green]✓[/green] {name} {candidate.version}")
    if how.json:
        print(dumps({"skills": as_json(chosen)}))


async def _install_one(client: ApiClient, name: str, candidate: Candidate) -> None:
    wanted = {
        "version": candidate.version,
        "granted": candidate.capabilities.model_dump(mode="json"),
        "digest": candidate.digest,
    }
    await client.request("PUT", f"/api/v1/registry/installations/{name}", json=wanted)
