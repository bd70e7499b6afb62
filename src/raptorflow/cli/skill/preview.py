"""What a publish would change: files, against the newest version that is there, and what the skill may do."""

from collections.abc import Iterable
from urllib.parse import quote

from rich.console import Console
from semver import Version

from raptorflow.base.json import JsonObject
from raptorflow.cli.client import ApiClient
from raptorflow.skills.listing import Difference, Listing
from raptorflow.skills.model import Skill


async def preview(
    client: ApiClient, name: str, skill: Skill, there: Iterable[str], console: Console
) -> JsonObject:
    """Show what would be published.

    Args:
        client: to the server.
        name: `namespace/name` of the skill there.
        skill: as it would be published.
        there: the versions that are there.
        console: where a person reads it.
    """
    newest = max(map(Version.parse, there), default=None)
    changes = await _changes(client, name, newest, skill) if newest else []
    console.print(f"Would publish {name} {skill.version}", markup=False)
    console.print(f"  {skill.digest}")
    for sentence in skill.capabilities.plain_words():
        console.print(f"  {sentence}", markup=False)
    if newest:
        console.print(f"Since {newest}:")
    for change in changes:
        console.print(f"  {change}", markup=False)
    return {
        "skill": skill.name,
        "version": skill.version,
        "digest": skill.digest,
        "status": "would-publish",
        "since": str(newest) if newest else None,
        "changes": [{"path": each.path, "change": each.change} for each in changes],
    }


async def _changes(client: ApiClient, name: str, newest: Version, skill: Skill) -> list[Difference]:
    page = await client.request(
        "GET", f"/api/v1/registry/skills/{name}/versions/{quote(str(newest), safe='')}/page"
    )
    old = Listing.from_rows((each["path"], each["sha256"], each["executable"]) for each in page["files"])
    new = Listing.from_rows((each.path, each.sha256, each.executable) for each in skill.files)
    return old.differences(new)
