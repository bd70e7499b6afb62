"""`raptorflow skill resolve`: which versions of which skills, why, and what they may do together."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.connection import Connection, NoServerKnown, read_connection
from raptorflow.cli.skill.consent import show_tree, total, words_of
from raptorflow.cli.skill.project import Project
from raptorflow.cli.skill.supply import Supply, supply
from raptorflow.skills.reader import read_skill
from raptorflow.skills.resolving.model import Candidate

SKILL_MD = "SKILL.md"


def resolve(
    *wishes: str,
    folder: Path = Path(),
    among: Annotated[list[Path] | None, Parameter(negative="")] = None,
    json: bool = False,
    url: str | None = None,
    token: str | None = None,
) -> None:
    """Choose versions for a skill's requirements or a project's wishes, and show what all of it may do.

    Args:
        wishes: `namespace/name`, or `namespace/name@^1.2`; those of the folder when none is given.
        folder: a skill, or a project with skills.toml.
        among: folders of skills at hand, which stand in for those of a server.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
        token: a personal access token; RAPTORFLOW_TOKEN when not given.
    """
    project = _project(folder, wishes)
    found = supply(connection_if_known(url, token, among), among or ())
    chosen = asyncio.run(_chosen(project, found))
    if json:
        may = {"may": words_of(chosen), "capabilities": total(chosen).model_dump(mode="json")}
        print(dumps({"skills": as_json(chosen), **may}))
    elif chosen:
        show_tree(Console(highlight=False), chosen, project.lock)
    else:
        print("Nothing is required.")


def as_json(chosen: Mapping[str, Candidate]) -> list[JsonObject]:
    """What was chosen, one object a skill."""
    return [
        {"name": name, "version": one.version, "digest": one.digest, "source": one.source}
        | {"requires": dict(one.requires)}
        for name, one in sorted(chosen.items())
    ]


def connection_if_known(
    url: str | None, token: str | None, among: Sequence[Path] | None
) -> Connection | None:
    """The server to ask; none when folders are given and no server is known.

    Raises:
        NoServerKnown: neither is.
    """
    try:
        return read_connection(url, token)
    except NoServerKnown:
        if among:
            return None
        raise


def _project(folder: Path, wishes: Sequence[str]) -> Project:
    if wishes:
        return Project(folder, {}, {}).wishing(wishes)
    if (folder / SKILL_MD).is_file():
        return Project(folder, read_skill(folder).requires, {})
    return Project.read(folder)


async def _chosen(project: Project, found: Supply) -> dict[str, Candidate]:
    if not project.wishes:
        return {}
    async with found:
        return await project.chosen(found)
