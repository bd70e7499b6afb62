"""Publishing, installing, loading and finding skills, for real: database, blobs, uv, embeddings."""

import asyncio
import stat
import subprocess
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from raptorflow.base.errors import NotFound
from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.registry.errors import GrantTooLarge, SkillNotFound, SkillNotInstalled, VersionNotFound
from raptorflow.registry.repository import RegistryRepository
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.skills.archive import pack_files
from raptorflow.skills.capabilities import Capabilities

POLL_SECONDS = 0.02
LIMIT_SECONDS = 120.0
SCRIPT = b"""# /// script
# dependencies = ["six==1.17.0"]
# ///
import six
print(six.__version__)
"""
MANIFEST = """schema = 1
[skill]
version = "{version}"
[permissions]
services = {{ crm = ["contacts.read", "contacts.write"] }}
[actions.run]
command = ["python", "run.py"]
"""


def archive(
    name: str, description: str = "Greets people.", version: str = "1.0.0", body: str = "Hi."
) -> bytes:
    files = {
        "SKILL.md": f"---\nname: {name}\ndescription: {description}\n---\n{body}\n".encode(),
        "skill.toml": MANIFEST.format(version=version).encode(),
        "run.py": SCRIPT,
    }
    return pack_files(name, files, {"run.py"})


async def settled(registry: SkillsRegistry, org_id: UUID, receipt: PublishReceipt) -> PublishReceipt:
    async with asyncio.timeout(LIMIT_SECONDS):
        while receipt.status not in {"published", "failed"}:
            await asyncio.sleep(POLL_SECONDS)
            receipt = await registry.publish_status(org_id, receipt.publish_id)
    return receipt


async def published(
    registry: SkillsRegistry, org_id: UUID, data: bytes, **options: str | bool
) -> PublishReceipt:
    owner = (org_id, f"org-{org_id.hex}")
    visibility = "public" if options.get("visibility") == "public" else "org"
    receipt = await registry.publish(
        owner, None, data, visibility=visibility, install=bool(options.get("install"))
    )
    return await settled(registry, org_id, receipt)


async def test_a_published_skill_is_installed_loaded_and_runs_in_its_environment(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    receipt = await published(registry, org_id, archive("greet"), install=True)
    assert (receipt.status, receipt.skill, receipt.version) == ("published", "greet", "1.0.0")

    loaded = await registry.load(org_id, "greet")

    assert loaded.skill.body == "Hi."
    assert loaded.digest == receipt.digest == loaded.skill.digest
    assert loaded.env_dir is not None
    run = [loaded.env_dir / "bin/python", loaded.skill_dir / "run.py"]
    assert await asyncio.to_thread(subprocess.check_output, run, text=True) == "1.17.0\n"
    mode = stat.S_IMODE((loaded.skill_dir / "SKILL.md").stat().st_mode)
    assert mode == 0o444
    assert await registry.archive(org_id, f"org-{org_id.hex}/greet", "1.0.0") == archive("greet")
    assert await registry.actions(org_id, loaded.ref) == [action.name for action in loaded.skill.actions]
    assert await registry.read_file(org_id, "greet", "run.py") == SCRIPT
    with pytest.raises(NotFound):
        await registry.read_file(org_id, "greet", "../../secrets")


async def test_a_version_is_immutable_and_the_same_content_is_no_second_version(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    assert (await published(registry, org_id, archive("greet"))).status == "published"
    again = await published(registry, org_id, archive("greet"))
    assert again.status == "published"
    other = await published(registry, org_id, archive("greet", body="Other."))
    assert other.status == "failed"
    assert other.problem
    assert other.problem["code"] == "version-exists"
    newer = await published(registry, org_id, archive("greet", version="1.1.0-rc.1"))
    assert newer.status == "published"
    ref = f"org-{org_id.hex}/greet"
    assert (await registry.resolve(org_id, ref)).version == "1.0.0"
    assert (await registry.resolve(org_id, ref, "1.1.0-rc.1")).version == "1.1.0-rc.1"
    assert (await registry.versions(org_id, ref)).versions == ["1.0.0", "1.1.0-rc.1"]
    with pytest.raises(VersionNotFound):
        await registry.resolve(org_id, ref, "^2")


async def test_what_cannot_be_published_says_why_and_leaves_nothing(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    broken = await published(registry, org_id, b"PK not a zip")
    assert broken.problem
    assert broken.problem["code"] == "archive-refused"
    invalid = await published(registry, org_id, pack_files("greet", {"SKILL.md": b"# no frontmatter"}, ()))
    assert invalid.problem
    assert invalid.problem["details"]["findings"][0]["code"] == "skill/frontmatter-missing"
    missing = pack_files(
        "greet",
        {
            "SKILL.md": b"---\nname: greet\ndescription: Hi.\n---\nHi.\n",
            "a.py": b'# /// script\n# dependencies = ["six==99.0"]\n# ///\n',
        },
        (),
    )
    unsolvable = await published(registry, org_id, missing)
    assert unsolvable.problem
    assert unsolvable.problem["code"] == "environment-unsolvable"
    assert (await registry.list(org_id)).items == [] or all(
        item.visibility == "public" for item in (await registry.list(org_id)).items
    )


async def test_an_idempotency_key_gives_the_same_publish(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    owner = (org_id, f"org-{org_id.hex}")
    first, second = [await registry.publish(owner, None, archive("greet"), key="k") for _ in range(2)]
    assert first.publish_id == second.publish_id


async def test_others_see_what_is_public_and_nothing_else(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    await published(registry, org_id, archive("secret-plans", "Plans of the moon base."))
    await published(registry, org_id, archive("moon-weather", "Weather on the moon."), visibility="public")
    stranger, namespace = new_id(), f"org-{org_id.hex}"
    with pytest.raises(SkillNotFound):
        await registry.resolve(stranger, f"{namespace}/secret-plans")
    found = {hit.name for hit in (await registry.search(stranger, "moon base plans weather")).hits}
    assert "moon-weather" in found
    assert "secret-plans" not in found
    with pytest.raises(SkillNotInstalled):
        await registry.load(stranger, f"{namespace}/moon-weather")
    await registry.install(stranger, None, f"{namespace}/moon-weather")
    assert (await registry.load(stranger, "moon-weather")).version == "1.0.0"
    assert [row.name for row in await registry.installations(stranger)] == ["moon-weather"]
    await registry.uninstall(stranger, f"{namespace}/moon-weather")
    with pytest.raises(SkillNotInstalled):
        await registry.load(stranger, "moon-weather")


async def test_a_grant_narrows_what_runs_and_never_widens_it(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    await published(registry, org_id, archive("greet"))
    ref = f"org-{org_id.hex}/greet"
    narrow = Capabilities(services={"crm": frozenset({"contacts.read"})})
    await registry.install(org_id, None, ref, granted=narrow)
    loaded = await registry.load(org_id, "greet")
    assert loaded.capabilities.services == {"crm": frozenset({"contacts.read"})}
    wide = Capabilities(network=frozenset({"evil.example:443"}))
    with pytest.raises(GrantTooLarge):
        await registry.install(org_id, None, ref, granted=wide)


async def test_search_finds_by_word_and_by_meaning_and_puts_installed_skills_first(
    registry: SkillsRegistry, engine: Engine, org_id: UUID
) -> None:
    texts = {
        "invoice-reader": "Extracts amounts and due dates from invoices and receipts in PDF.",
        "trip-planner": "Plans journeys by train and plane and finds hotels.",
        "csv-insights": "Analyses spreadsheets and tables: trends, outliers, comparisons.",
    }
    for name, description in texts.items():
        await published(registry, org_id, archive(name, description), install=name != "trip-planner")
    by_word = await registry.search(org_id, "read an invoice")
    assert by_word.hits[0].name == "invoice-reader"
    by_meaning = await registry.search(org_id, "book me a vacation")
    suggestion = next(hit for hit in by_meaning.hits if not hit.installed)
    assert suggestion.name == "trip-planner"
    assert by_meaning.hits[0].installed


async def test_the_versions_of_a_private_skill_have_an_owner_also_where_all_rows_are_seen(
    publish: Callable[..., Awaitable[PublishReceipt]], org_id: UUID, registry_database: Database
) -> None:
    """Workers' transactions are held by no row-level security: the queries themselves ask for the owner."""
    await publish({"SKILL.md": "---\nname: greet\ndescription: Greets.\n---\nHello.\n"}, install=True)
    async with registry_database.system_session() as session:
        repository = RegistryRepository(session)
        ((skill_id, version),) = [
            (one.skill.id, one.version.version) for one in await repository.installations(org_id)
        ]
        assert await repository.versions(org_id, skill_id) == [version]
        assert await repository.version(org_id, skill_id, version) is not None
        assert await repository.versions(new_id(), skill_id) == []
        assert await repository.version(new_id(), skill_id, version) is None
