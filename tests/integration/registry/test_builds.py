"""What a trusted build publishes: it says where it was built, and is the skill that the build may publish."""

import asyncio
from typing import Any
from uuid import UUID

from tests.ci_issuer import BUILT

from raptorflow.accounts.identity import PublishingBuild
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.skills.archive import pack_files

FILES = {"SKILL.md": "---\nname: greet\ndescription: Greets people by name.\n---\nSay hello.\n"}
POLL_SECONDS = 0.02


async def test_a_version_says_where_it_was_built(
    publish: Any, registry: SkillsRegistry, org_id: UUID
) -> None:
    receipt = await publish(FILES, build=PublishingBuild(provenance=BUILT, skills=("greet",)))
    ref = f"org-{org_id.hex}/greet"
    assert (await registry.resolve(org_id, ref, receipt.version)).provenance == BUILT
    assert (await registry.page(org_id, ref, receipt.version)).provenance == BUILT


async def test_what_a_person_publishes_says_nothing_of_a_build(
    publish: Any, registry: SkillsRegistry, org_id: UUID
) -> None:
    receipt = await publish(FILES)
    assert (await registry.resolve(org_id, f"org-{org_id.hex}/greet", receipt.version)).provenance is None


async def ended(registry: SkillsRegistry, org_id: UUID, build: PublishingBuild | None) -> PublishReceipt:
    """The end of a publish of the same bytes under the same key."""
    data = pack_files("greet", {path: text.encode() for path, text in FILES.items()}, ())
    receipt = await registry.publish((org_id, f"org-{org_id.hex}"), None, data, build=build, key="same")
    async with asyncio.timeout(60):
        while receipt.status not in {"published", "failed"}:
            await asyncio.sleep(POLL_SECONDS)
            receipt = await registry.publish_status(org_id, receipt.publish_id)
    return receipt


async def test_a_build_publishes_no_other_skill_than_its_own(
    registry: SkillsRegistry, engine: Any, org_id: UUID
) -> None:
    receipt = await ended(registry, org_id, PublishingBuild(provenance=BUILT, skills=("other",)))
    assert receipt.status == "failed"
    assert receipt.problem
    assert (receipt.problem["code"], "not greet" in receipt.problem["detail"]) == ("not-permitted", True)
    assert (await registry.list(org_id)).items == []
    # A refusal is nobody's but the build's: whoever may publish the same bytes does.
    assert (await ended(registry, org_id, None)).status == "published"
