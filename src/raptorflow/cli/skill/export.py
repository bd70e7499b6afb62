"""`raptorflow skill export`: skills of a server in one file, for a site that no network reaches."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.connection import read_connection
from raptorflow.cli.skill.pack import write
from raptorflow.cli.skill.project import Project
from raptorflow.cli.skill.supply import Supply, supply
from raptorflow.skills.archive import pack_files
from raptorflow.skills.exported import Exported, write_export
from raptorflow.skills.resolving.graph import in_order
from raptorflow.skills.resolving.model import Candidate

PAGE = 200


def export(
    *wishes: str,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("skills.raptorflow"),
    json: bool = False,
    url: str | None = None,
) -> None:
    """Write skills and all that they build on into one file; without names, every skill that you may see.

    Args:
        wishes: `namespace/name`, or `namespace/name@^1.2`.
        output: the file.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    found = supply(read_connection(url), ())
    skills = asyncio.run(fetch(found, wishes))
    write(output, write_export(skills))
    told = [{"name": each.name, "version": each.version, "digest": each.digest} for each in skills]
    if json:
        print(dumps({"path": str(output), "skills": told}))
    else:
        console = Console(highlight=False)
        for each in told:
            console.print(f"{each['name']} {each['version']}  [dim]{each['digest']}[/dim]")
        console.print(f"{output}  {output.stat().st_size:,} bytes")


async def fetch(found: Supply, wishes: Sequence[str]) -> list[Exported]:
    """The skills that are wished for, each after those that it builds on; all of them without wishes."""
    async with found:
        named = wishes or [each["ref"] async for each in _all(found)]
        chosen = await Project(Path(), {}, {}).wishing(named).chosen(found)
        return [await _exported(found, name, chosen) for name in in_order(chosen)]


async def _exported(found: Supply, name: str, chosen: Mapping[str, Candidate]) -> Exported:
    candidate = chosen[name]
    unpacked = await found.fetch(name, candidate)
    archive = pack_files(name.partition("/")[2], unpacked.files, unpacked.executables)
    return Exported(name, candidate.version, candidate.digest, archive)


async def _all(found: Supply) -> AsyncIterator[JsonObject]:
    """Every skill of the server, page by page."""
    cursor: str | None = None
    while True:
        params = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page: JsonObject = await found.server().request("GET", "/api/v1/registry/skills", params=params)
        for item in page["items"]:
            yield item
        cursor = page["next"]
        if cursor is None:
            return
