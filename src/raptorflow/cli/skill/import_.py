"""`raptorflow skill import`: skills from elsewhere, into a folder or onto a server."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.errors import PartUnavailable, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.client import ApiClient, ServerRefused, ServerUnreachable
from raptorflow.cli.connection import read_connection
from raptorflow.cli.skill.sending import PublishFailed, PublishOverdue, send
from raptorflow.cli.skill.sources.gather import gather
from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.placing.place import FolderNotOurs, place
from raptorflow.skills.resolving.graph import in_plain_order
from raptorflow.skills.sources.basket import Basket, Imported
from raptorflow.skills.text import printable

EXIT_SKIPPED = 1
NOT_ALLOWED = {401, 403}
OPTIONS = {"visibility": "org", "install": "false"}

Told = Callable[[Imported, str, str], None]


class PublishStopped(PartUnavailable):
    """A skill was not sent, since one before it was kept from the server by something that keeps all."""

    code = "publish-stopped"
    default_hint = "Mend what the other was left out for; the same command then goes on from there."


@dataclass(frozen=True)
class How:
    """How to import: `--publish`, `--force`, `--dry-run`, `--json`."""

    publish: bool = False
    """Publish on the server instead, each skill after those that it builds on."""
    force: bool = False
    """Replace folders that hold something else, and leave copies."""
    dry_run: bool = False
    """List what would come."""
    json: bool = False
    """Print one JSON object."""


AS_USUAL = How()


def import_skills(
    source: str,
    *,
    to: Annotated[Path, Parameter(name=["--to"])] = Path("skills"),
    select: Annotated[list[str] | None, Parameter(negative="")] = None,
    skill: Annotated[list[str] | None, Parameter(negative="")] = None,
    how: Annotated[How, Parameter(name="*")] = AS_USUAL,
    url: str | None = None,
) -> None:
    """Import skills; those that are not valid are named and left out, and the command fails at the end.

    Args:
        source: an export or an archive; a folder or a marketplace.json; a repository (`github:owner/name`,
            `git+https://...`, `git@host:path`, with `@ref` and `#folder` behind it); a site with a
            `.well-known` index, or another RaptorFlow (`https://host`).
        to: the folder to write the skills to.
        select: only these, by their names or by those of a marketplace's plugins.
        skill: of another RaptorFlow, with what it builds on: `namespace/name`, or `namespace/name@^1.2`.
        how: see below.
        url: the server to publish on; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    connection = read_connection(url) if how.publish and not how.dry_run else None
    basket = gather(source, skill or (), select or ())
    report = _Report(Console(highlight=False, quiet=how.json))
    if how.dry_run:
        for each in ordered(basket):
            report.told(each, "would-import", f"{each.name} {each.version}")
    elif connection:
        asyncio.run(_publish(ApiClient(connection), basket, report))
    else:
        for each in basket.skills:
            _place(each, to, basket, report, force=how.force)
    report.finish(basket)
    if how.json:
        print(dumps({"skills": report.skills, "skipped": _skipped(basket)}))
    if basket.skipped:
        sys.exit(EXIT_SKIPPED)


def ordered(basket: Basket) -> list[Imported]:
    """Each skill after those of the basket that it builds on."""
    by_name = {each.plain: each for each in basket.skills}
    return [by_name[name] for name in in_plain_order({name: each.requires for name, each in by_name.items()})]


class _Report:
    """Tells a person of each skill, and keeps it for a script."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.skills: list[JsonObject] = []

    def told(self, skill: Imported, status: str, words: str) -> None:
        """A skill has come, or need not."""
        mark = "[dim]-[/dim]" if status in {"unchanged", "would-import"} else "[green]✓[/green]"
        self.console.print(f"{mark} ", end="")
        self.console.print(printable(words), markup=False, soft_wrap=True)
        self.console.print(f"  {printable(skill.source)}", markup=False, soft_wrap=True, style="dim")
        known = {"name": skill.name, "version": skill.version, "digest": skill.digest}
        self.skills.append(known | {"source": skill.source, "status": status})

    def finish(self, basket: Basket) -> None:
        """What was left out, and why."""
        for each in basket.skipped:
            self.console.print("[red]✗[/red] ", end="")
            self.console.print(f"{each.name}: {each.reason}", markup=False, soft_wrap=True)
            if each.hint:
                self.console.print(f"  {each.hint}", markup=False, soft_wrap=True, style="dim")
        if basket.skipped:
            self.console.print(f"{len(self.skills)} imported, {len(basket.skipped)} left out.")


def _place(each: Imported, folder: Path, basket: Basket, report: _Report, *, force: bool) -> None:
    target = folder / each.plain
    try:
        written = place(target, each.files, each.executables, force=force)
    except FolderNotOurs as error:
        basket.skip(each.name, error)
    except FolderUnwritable as error:
        hint = "Name another folder with `--to`, or check its permissions."
        basket.skip(each.name, FolderUnwritable(error.message, hint=hint))
    else:
        report.told(each, "written" if written else "unchanged", f"{target}  {each.name} {each.version}")


async def _publish(client: ApiClient, basket: Basket, report: _Report) -> None:
    """Send each skill; after what would meet all the others too, they are not sent, and said not to be."""
    stopped: PublishStopped | None = None
    async with client:
        for each in ordered(basket):
            if stopped:
                basket.skip(each.name, stopped)
                continue
            try:
                receipt = await _sent(client, each, report)
            except (PublishFailed, ServerRefused, ServerUnreachable, PublishOverdue) as error:
                basket.skip(each.name, error)
                if _meets_all(error):
                    stopped = PublishStopped(f"It was not sent, as {each.name} before it could not be.")
            else:
                report.told(each, "published", f"Published {receipt['skill']} {receipt['version']}")


async def _sent(client: ApiClient, each: Imported, report: _Report) -> JsonObject:
    with report.console.status(f"Sending {each.name} ...") as status:
        receipt = await send(client, each.archive(), OPTIONS, status.update)
    if receipt["status"] == "failed":
        raise PublishFailed(receipt["problem"])
    return receipt


def _meets_all(error: RaptorFlowError) -> bool:
    """Whether it is no matter of the one skill that it happened to."""
    return isinstance(error, PartUnavailable) or error.problem().get("status") in NOT_ALLOWED


def _skipped(basket: Basket) -> list[JsonObject]:
    return [
        {"name": each.name, "code": each.code, "reason": each.reason, "hint": each.hint}
        for each in basket.skipped
    ]
