"""What a trusted build publishes: it says where it was built, and is the skill that the build may publish."""

import asyncio
from typing import Any
from uuid import UUID

from raptorflow.accounts.identity import Provenance, PublishingBuild
from raptorflow.registry.service import SkillsRegistry
from raptorflow.skills.archive import pack_files

BUILT = Provenance(
    issuer="https://ci.example",
    repository="octo/skills",
    workflow="publish.yml",
    environment=None,
    ref="refs/tags/v1.0.0",
    commit="a" * 40,
    run_url="https://ci.example/octo/skills/actions/runs/7/attempts/1",
)
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


async def test_a_build_publishes_no_other_skill_than_its_own(
    registry: SkillsRegistry, engine: Any, org_id: UUID
) -> None:
    data = pack_files("greet", {path: text.encode() for path, text in FILES.items()}, ())
    build = PublishingBuild(provenance=BUILT, skills=("other",))
    receipt = await registry.publish((org_id, f"org-{org_id.hex}"), None, data, build=build)
    async with asyncio.timeout(60):
        while receipt.status not in {"published", "failed"}:
            await asyncio.sleep(POLL_SECONDS)
            receipt = await registry.publish_status(org_id, receipt.publish_id)
    assert receipt.status == "failed"
    assert receipt.problem
    assert (receipt.problem["code"], "not greet" in receipt.problem["detail"]) == ("not-permitted", True)
    assert (await registry.list(org_id)).items == []
