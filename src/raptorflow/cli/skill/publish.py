"""`raptorflow skill publish`: check, pack and send what has changed, and wait for the registry's word."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from semver import Version

from raptorflow.base.errors import Conflict, InvalidInput
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.client import ApiClient, ServerRefused
from raptorflow.cli.connection import Connection, read_connection
from raptorflow.cli.skill.ci_identity import access_from_ci
from raptorflow.cli.skill.preview import preview
from raptorflow.cli.skill.sending import PublishFailed, PublishOverdue, send
from raptorflow.skills.archive import read_and_pack
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.model import Skill
from raptorflow.skills.resolving.graph import in_plain_order
from raptorflow.skills.scanning.scan import scan
from raptorflow.skills.writer import with_version

EXIT_FAILED = 1
NOT_FOUND = 404


class SkillBlocked(InvalidInput):
    """A skill shows signs of harm."""

    code = "skill-blocked"


class VersionTaken(Conflict):
    """A version is there with another content."""

    code = "version-taken"


def publish(
    *folders: Path,
    visibility: Literal["org", "public"] = "org",
    install: bool = True,
    dry_run: bool = False,
    bump: Literal["patch", "minor", "major"] | None = None,
    json: bool = False,
    url: str | None = None,
) -> None:
    """Publish what has changed, into the namespace of your organisation; each after the skills it builds on.

    Args:
        folders: skills' folders, or folders of skills; the current one when none is given.
        visibility: for your organisation alone, or for everybody on the server.
        install: install it for your organisation too.
        dry_run: check everything and say what would be published.
        bump: write the next version into skill.toml where the content has changed and the version has not.
        json: print one JSON object a skill.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
    """
    options = {"visibility": visibility, "install": str(install).lower()}
    wanted = Wanted(options, bump, dry_run, json)
    ordered = _in_order([_checked(folder) for folder in skill_folders(folders or (Path(),))])
    # Last of all: a build's access begins to run out with it.
    connection = _connection(url)
    if not asyncio.run(_publish_all(ApiClient(connection), ordered, wanted)):
        sys.exit(EXIT_FAILED)


def _connection(url: str | None) -> Connection:
    """The connection there is; in a trusted build without a token, one by its CI provider's word."""
    place = url or os.environ.get("RAPTORFLOW_URL")
    if place and not os.environ.get("RAPTORFLOW_TOKEN"):
        access = asyncio.run(access_from_ci(place))
        if access:
            return Connection(url=place.rstrip("/"), token=access)
    return read_connection(url)


@dataclass(frozen=True)
class Wanted:
    """How to publish."""

    options: dict[str, str]
    bump: Literal["patch", "minor", "major"] | None
    dry_run: bool
    json: bool


@dataclass(frozen=True)
class Place:
    """A skill on the server: `namespace/name`, and the versions that are there."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Ready:
    """A skill that passed every check here."""

    folder: Path
    skill: Skill
    archive: bytes


def _checked(folder: Path) -> Ready:
    """Pack a skill and scan it: what is blocked is not sent.

    Raises:
        SkillInvalid: it is no valid skill.
        SkillBlocked: it shows signs of harm.
    """
    skill, archive = read_and_pack(folder)
    report = scan(folder)
    if report.verdict == "block":
        worst = report.findings[0]
        raise SkillBlocked(f"{skill.name} is blocked: {worst.message}", hint=worst.remedy)
    return Ready(folder, skill, archive)


def _in_order(ready: list[Ready]) -> list[Ready]:
    """Each after those of the list that it builds on; their namespace does not matter here."""
    by_name = {each.skill.name: each for each in ready}
    if len(by_name) != len(ready):
        raise Conflict("Two of the folders are skills of one name.", hint="Publish them one by one.")
    order = in_plain_order({name: each.skill.requires for name, each in by_name.items()})
    return [by_name[name] for name in order]


async def _publish_all(client: ApiClient, ordered: list[Ready], wanted: Wanted) -> bool:
    """Whether every skill is published, or need not be."""
    console = Console(quiet=wanted.json, highlight=False)
    async with client:
        namespace = await _namespace(client)
        for ready in ordered:
            told = await _publish_one(client, ready, namespace, wanted, console)
            if wanted.json:
                print(dumps(told))
            if told["status"] == "failed":
                if wanted.json:
                    return False
                raise PublishFailed(told["problem"])
    return True


async def _publish_one(
    client: ApiClient, ready: Ready, namespace: str, wanted: Wanted, console: Console
) -> JsonObject:
    skill = ready.skill
    name = f"{namespace}/{skill.name}"
    there = await _there(client, name)
    place = Place(name, tuple(there))
    if skill.digest in there.values():
        console.print(f"[dim]-[/dim] {skill.name} {skill.version} is published already, exactly so.")
        return {"skill": skill.name, "version": skill.version, "digest": skill.digest, "status": "unchanged"}
    if skill.version not in there:
        return await _hand_over(client, ready, place, wanted, console)
    if wanted.bump is None:
        message = f"{skill.name} {skill.version} is published with another content."
        raise VersionTaken(message, hint="Use `--bump patch`, or write the next version into skill.toml.")
    before, is_done = _manifest_of(ready), False
    try:
        highest = max(map(Version.parse, there))
        told = await _hand_over(client, _bumped(ready, wanted, highest), place, wanted, console)
        is_done = told["status"] == "published"
        return told
    except PublishOverdue:
        # It may be published yet: the same command goes on with it.
        is_done = True
        raise
    finally:
        # However it ended: a version that was not published is not kept.
        if not is_done:
            _restore(ready, before)


async def _hand_over(
    client: ApiClient, ready: Ready, place: Place, wanted: Wanted, console: Console
) -> JsonObject:
    """Send it, or say what would be sent."""
    skill = ready.skill
    if wanted.dry_run:
        told = await preview(client, place.name, skill, place.versions, console)
        return told | {"bytes": len(ready.archive)}
    with console.status(f"Sending {skill.name} ...") as status:
        receipt = await send(client, ready.archive, wanted.options, status.update)
    if receipt["status"] == "published":
        console.print(f"[green]✓[/green] Published {receipt['skill']} {receipt['version']}")
        console.print(f"  {receipt['digest']}")
    return receipt


def _manifest_of(ready: Ready) -> bytes | None:
    path = ready.folder / MANIFEST
    return path.read_bytes() if path.exists() else None


def _bumped(ready: Ready, wanted: Wanted, highest: Version) -> Ready:
    """The skill with the version after the highest that is there."""
    following = {"patch": highest.bump_patch, "minor": highest.bump_minor, "major": highest.bump_major}
    path = ready.folder / MANIFEST
    text = path.read_bytes().decode() if path.exists() else "schema = 1\n"
    path.write_bytes(with_version(text, str(following[wanted.bump or "patch"]())).encode())
    return _checked(ready.folder)


def _restore(ready: Ready, before: bytes | None) -> None:
    """The manifest as it was before the version was raised."""
    path = ready.folder / MANIFEST
    if before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(before)


async def _namespace(client: ApiClient) -> str:
    return (await client.request("GET", "/api/v1/registry/namespace"))["namespace"]


async def _there(client: ApiClient, name: str) -> dict[str, str]:
    """The versions on the server, each with its digest."""
    try:
        answer = await client.request("GET", f"/api/v1/registry/skills/{name}/versions")
    except ServerRefused as error:
        if error.problem().get("status") == NOT_FOUND:
            return {}
        raise
    return {item["version"]: item["digest"] for item in answer["items"]}
