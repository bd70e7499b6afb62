"""A skill's page, its versions and lists of skills, from what was published."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from raptorflow.base.ids import new_id
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.skills.ranges import newest_first

Publish = Callable[..., Awaitable[PublishReceipt]]
README = "# Greet\n\nSay **hello** to <Ada>."
MANIFEST = """schema = 1
[skill]
version = "{version}"
categories = ["communication"]
tags = ["hello", "people"]
[requires]
"acme/brand-voice" = "^2.1"
[permissions]
network = ["api.example.com:443"]
[runtime]
python = ">=3.12"
[variables.tone]
type = "string"
default = "warm"
description = "How it sounds."
[variables.loud]
type = "boolean"
default = true
[variables.times]
type = "integer"
default = 1
[variables.share]
type = "number"
default = 1.0
"""


def skill(version: str, readme: str = README) -> dict[str, str]:
    head = "name: greet\ndescription: Greets people.\nlicense: MIT\ncompatibility: Needs a terminal.\n"
    return {"SKILL.md": f"---\n{head}---\n{readme}\n", "skill.toml": MANIFEST.format(version=version)}


async def test_a_page_says_everything_that_was_published(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    receipt = await publish(skill("1.0.0"))
    page = await registry.page(org_id, f"org-{org_id.hex}/greet", "1.0.0")
    version = await registry.resolve(org_id, f"org-{org_id.hex}/greet", "1.0.0")
    assert page.model_dump(include=set(type(version).model_fields)) == version.model_dump()
    assert page.digest == receipt.digest
    assert (page.namespace, page.name, page.visibility) == (f"org-{org_id.hex}", "greet", "org")
    assert (page.license, page.compatibility, page.python) == ("MIT", "Needs a terminal.", ">=3.12")
    assert page.readme == README
    assert (page.categories, page.tags) == (["communication"], ["hello", "people"])
    assert page.requires == {"acme/brand-voice": "^2.1"}
    assert [(variable.name, variable.type, repr(variable.default)) for variable in page.variables] == [
        ("tone", "string", "'warm'"),
        ("loud", "boolean", "True"),
        ("times", "integer", "1"),
        ("share", "number", "1.0"),
    ]
    assert page.variables[0].description == "How it sounds."


async def test_a_page_is_of_the_version_asked_for_and_knows_the_one_in_use(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"
    first = await publish(skill("1.0.0"))
    assert (await registry.page(org_id, ref)).installed is None
    await registry.install(org_id, None, ref)
    await publish(skill("1.1.0", "Newer."))
    for wanted, version, readme in (("latest", "1.1.0", "Newer."), ("~1.0", "1.0.0", README)):
        page = await registry.page(org_id, ref, wanted)
        assert (page.version, page.readme, page.latest_version) == (version, readme, "1.1.0")
        assert page.installed
        assert (page.installed.version, page.installed.digest) == ("1.0.0", first.digest)


async def test_the_publisher_is_named_to_the_publishing_organisation_alone(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    author = new_id()
    await publish(skill("1.0.0"), user_id=author, visibility="public")

    async def name_of(user_id: UUID) -> str | None:
        return "Ada" if user_id == author else None

    ref = f"org-{org_id.hex}/greet"
    assert (await registry.page(org_id, ref, name_of=name_of)).published_by == "Ada"
    assert (await registry.page(org_id, ref)).published_by is None
    assert (await registry.page(new_id(), ref, name_of=name_of)).published_by is None


async def test_versions_come_with_digest_and_time_the_newest_first(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    digests = {
        version: (await publish(skill(version))).digest
        for version in ("1.2.0", "1.10.0", "2.0.0-rc.1", "1.9.0")
    }
    found = await registry.versions(org_id, f"org-{org_id.hex}/greet")
    assert found.versions == newest_first(digests) == ["1.10.0", "1.9.0", "1.2.0", "2.0.0-rc.1"]
    assert {item.version: item.digest for item in found.items} == digests
    assert [item.version for item in found.items] == found.versions
    published = {item.version: item.published_at for item in found.items}
    assert sorted(published, key=lambda version: published[version]) == list(digests)


async def test_of_versions_without_an_order_the_one_published_last_is_the_latest(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    """A bare SKILL.md has a version made of its digest, and digests have no order."""
    receipts = [
        await publish({"SKILL.md": f"---\nname: greet\ndescription: Says {word}.\n---\n{word}\n"})
        for word in ("one", "two", "three", "four")
    ]
    latest = await registry.page(org_id, f"org-{org_id.hex}/greet")
    assert (latest.version, latest.readme) == (receipts[-1].version, "four")
    assert latest.latest_version == receipts[-1].version
    assert latest.description == "Says four."


async def test_lists_say_what_is_in_use_and_when_a_skill_last_changed(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"

    async def listed() -> tuple[bool, str | None, str, bool]:
        items = (await registry.list(org_id, limit=200)).items
        item = next(item for item in items if item.ref == ref)
        newest = (await registry.versions(org_id, ref)).items[0]
        return item.installed, item.installed_version, item.version, item.updated_at == newest.published_at

    await publish(skill("1.0.0"))
    assert await listed() == (False, None, "1.0.0", True)
    await registry.install(org_id, None, ref)
    await publish(skill("1.1.0"))
    assert await listed() == (True, "1.0.0", "1.1.0", True)
    (installation,) = await registry.installations(org_id)
    assert (installation.namespace, installation.name) == (f"org-{org_id.hex}", "greet")
    assert (installation.version, installation.latest_version) == ("1.0.0", "1.1.0")
