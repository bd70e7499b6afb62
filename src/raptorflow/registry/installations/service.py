"""Which skills an organisation uses, at which version, and what it has granted them."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.registry.errors import DigestMismatch, GrantTooLarge, SkillNotInstalled
from raptorflow.registry.installations.views import consent_view, installation_view
from raptorflow.registry.lookup import find_installed, find_skill, find_version, ref_of
from raptorflow.registry.models import InstallationRow, SkillRow, VersionRow
from raptorflow.registry.repository import RegistryRepository
from raptorflow.registry.schemas import Consent, Installation, InstallRequest
from raptorflow.skills.capabilities import Capabilities


class Installations:
    """Installs and removes. Each call is one transaction for the organisation that asks.

    Args:
        database: where installations are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, org_id: UUID) -> Sequence[Installation]:
        """What an organisation has installed."""
        async with self._database.session(org_id) as session:
            return [installation_view(row) for row in await RegistryRepository(session).installations(org_id)]

    async def consent(self, org_id: UUID, ref: str, wanted: str) -> Consent:
        """What an organisation has to agree to before it uses a version."""
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill, version = await find_version(repository, org_id, ref, wanted)
            installed = await repository.installed(org_id, skill.namespace, skill.name)
        return consent_view(skill, version, installed)

    async def install(
        self, org_id: UUID, user_id: UUID | None, ref: str, request: InstallRequest
    ) -> Installation:
        """Install a version, or move an installation to it; as `SkillsRegistry.install`."""
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill, version = await find_version(repository, org_id, ref, request.version)
            _refuse_unseen(skill, version, request.digest)
            row = InstallationRow(
                id=new_id(),
                org_id=org_id,
                skill_id=skill.id,
                version_id=version.id,
                granted=_grant(skill, version, request.granted).model_dump(mode="json"),
                installed_by=user_id,
            )
            await repository.put_installation(row)
            return installation_view(await find_installed(repository, org_id, ref_of(skill)))

    async def uninstall(self, org_id: UUID, ref: str) -> None:
        """Remove an installation."""
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill = await find_skill(repository, org_id, ref)
            if not await repository.remove_installation(org_id, skill.id):
                raise SkillNotInstalled(f"{ref} is not installed.")


def _refuse_unseen(skill: SkillRow, version: VersionRow, seen: str | None) -> None:
    """Refuse content other than what was read: a range may have moved on since its page was shown."""
    if seen is not None and seen != version.digest:
        raise DigestMismatch(
            f"{ref_of(skill)} {version.version} is not what was read: its digest is another.",
            details={"version": version.version, "digest": version.digest, "expected": seen},
        )


def _grant(skill: SkillRow, version: VersionRow, wanted: Capabilities | None) -> Capabilities:
    declared = Capabilities.model_validate(version.capabilities)
    grant = declared if wanted is None else wanted
    if not grant.is_subset(declared):
        raise GrantTooLarge(f"{ref_of(skill)} does not declare: {' '.join(grant.words_beyond(declared))}")
    return grant
