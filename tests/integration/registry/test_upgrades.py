"""Consent to what an upgrade asks for, and installing nothing but what was read."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from raptorflow.registry.errors import DigestMismatch
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.skills.capabilities import Capabilities

Publish = Callable[..., Awaitable[PublishReceipt]]
READ, WRITE = "contacts.read", "contacts.write"


def skill(version: str, *operations: str) -> dict[str, str]:
    listed = ", ".join(f'"{operation}"' for operation in operations)
    permissions = f"[permissions]\nservices = {{ crm = [{listed}] }}\n" if operations else ""
    return {
        "SKILL.md": "---\nname: greet\ndescription: Greets.\n---\nHi.\n",
        "skill.toml": f'schema = 1\n[skill]\nversion = "{version}"\n{permissions}',
    }


def crm(*operations: str) -> Capabilities:
    return Capabilities(services={"crm": frozenset(operations)})


async def test_an_upgrade_needs_consent_only_when_it_asks_for_more(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"
    for version, operations in (
        ("1.0.0", [READ]),
        ("1.0.1", [READ]),
        ("1.1.0", [READ, WRITE]),
        ("2.0.0", []),
    ):
        await publish(skill(version, *operations))

    first = await registry.consent(org_id, ref, "1.0.0")
    assert (first.installed_version, first.granted, first.needs_consent) == (None, None, True)
    assert (first.added, first.removed) == (["May call crm: contacts.read."], [])
    assert first.declared == crm(READ)
    assert "May call crm: contacts.read." in first.permissions

    await registry.install(org_id, None, ref, "1.0.0", digest=first.digest)
    same = await registry.consent(org_id, ref, "~1.0")
    assert (same.version, same.installed_version, same.granted) == ("1.0.1", "1.0.0", crm(READ))
    assert (same.added, same.removed, same.needs_consent) == ([], [], False)
    more = await registry.consent(org_id, ref, "^1")
    assert (more.version, more.needs_consent) == ("1.1.0", True)
    assert (more.added, more.removed) == (["May call crm: contacts.write."], [])
    less = await registry.consent(org_id, ref, "latest")
    assert (less.version, less.needs_consent) == ("2.0.0", False)
    assert (less.added, less.removed) == ([], ["May call crm: contacts.read."])


async def test_the_grant_counts_and_not_what_the_version_in_use_declares(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"
    await publish(skill("1.0.0", READ, WRITE))
    await registry.install(org_id, None, ref, granted=crm(READ))
    again = await registry.consent(org_id, ref)
    assert (again.added, again.needs_consent) == (["May call crm: contacts.write."], True)
    assert (await registry.install(org_id, None, ref)).granted == crm(READ, WRITE)
    assert not (await registry.consent(org_id, ref)).needs_consent


async def test_an_upgrade_without_a_grant_of_its_own_grants_what_it_declares(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"
    await publish(skill("1.0.0", READ))
    await registry.install(org_id, None, ref)
    await publish(skill("2.0.0"))
    assert (await registry.install(org_id, None, ref)).granted == Capabilities()


async def test_nothing_is_installed_but_what_was_read(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> None:
    ref = f"org-{org_id.hex}/greet"
    await publish(skill("1.0.0", READ))
    read = await registry.page(org_id, ref)
    await publish(skill("1.1.0", READ, WRITE))
    with pytest.raises(DigestMismatch) as refused:
        await registry.install(org_id, None, ref, "latest", digest=read.digest)
    assert refused.value.status == 409
    newer = await registry.page(org_id, ref)
    assert refused.value.details == {"version": "1.1.0", "digest": newer.digest, "expected": read.digest}
    assert await registry.installations(org_id) == []
    done = await registry.install(org_id, None, ref, "1.0.0", digest=read.digest)
    assert (done.version, done.digest) == ("1.0.0", read.digest)
    with pytest.raises(DigestMismatch):
        await registry.install(org_id, None, ref, "1.1.0", digest=read.digest)
    assert [row.version for row in await registry.installations(org_id)] == ["1.0.0"]
