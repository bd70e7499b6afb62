"""`raptorflow skill import`: the skills of an export, into a folder or onto a server."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.json import dumps
from raptorflow.cli.client import ApiClient
from raptorflow.cli.connection import read_connection
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.skill.publish import PublishFailed, send
from raptorflow.skills.archive import unpack
from raptorflow.skills.exported import Exported, read_export
from raptorflow.skills.placing.place import place


def import_skills(
    source: Path,
    *,
    to: Annotated[Path, Parameter(name=["--to"])] = Path("skills"),
    publish: bool = False,
    force: bool = False,
    json: bool = False,
    url: str | None = None,
) -> None:
    """Load what `raptorflow skill export` has written; everything is compared with its digest first.

    Args:
        source: the file.
        to: the folder to write the skills to.
        publish: publish them on the server instead, each after those that it builds on.
        force: replace folders that hold something else, and leave copies.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise FileUnusable(
            f"{source} cannot be read: {error.strerror}.", hint="Name another file."
        ) from error
    skills = read_export(content)
    console = Console(highlight=False, quiet=json)
    if publish:
        asyncio.run(_publish(ApiClient(read_connection(url)), skills, console))
    else:
        for each in skills:
            _place(each, to, console, force=force)
    if json:
        told = [{"name": each.name, "version": each.version, "digest": each.digest} for each in skills]
        print(dumps({"skills": told}))


def _place(each: Exported, folder: Path, console: Console, *, force: bool) -> None:
    unpacked = unpack(each.archive)
    target = folder / each.name.rpartition("/")[2]
    written = place(target, unpacked.files, unpacked.executables, force=force)
    mark = "[green]✓[/green]" if written else "[dim]-[/dim]"
    console.print(f"{mark} {target}  {each.name} {each.version}")


async def _publish(client: ApiClient, skills: list[Exported], console: Console) -> None:
    options = {"visibility": "org", "install": "false"}
    async with client:
        for each in skills:
            with console.status(f"Sending {each.name} ...") as status:
                receipt = await send(client, each.archive, options, status)
            if receipt["status"] == "failed":
                raise PublishFailed(receipt["problem"])
            console.print(f"[green]✓[/green] Published {receipt['skill']} {receipt['version']}")
