"""Installations as the API shows them."""

from raptorflow.registry.installations.consent import terms_of
from raptorflow.registry.lookup import ref_of
from raptorflow.registry.models import SkillRow, VersionRow
from raptorflow.registry.repository import Pinned
from raptorflow.registry.schemas import Consent, Installation
from raptorflow.skills.capabilities import Capabilities


def installation_view(found: Pinned) -> Installation:
    """A skill in use."""
    granted = Capabilities.model_validate(found.installation.granted)
    return Installation(
        id=found.installation.id,
        ref=ref_of(found.skill),
        namespace=found.skill.namespace,
        name=found.skill.name,
        version=found.version.version,
        latest_version=found.skill.latest_version,
        digest=found.version.digest,
        description=found.version.description,
        granted=granted,
        permissions=granted.plain_words(),
        installed_at=found.installation.created_at,
    )


def consent_view(skill: SkillRow, version: VersionRow, installed: Pinned | None) -> Consent:
    """What to agree to before a version is used."""
    declared = Capabilities.model_validate(version.capabilities)
    granted = Capabilities.model_validate(installed.installation.granted) if installed else None
    terms = terms_of(declared, granted)
    return Consent(
        ref=ref_of(skill),
        version=version.version,
        digest=version.digest,
        declared=declared,
        permissions=declared.plain_words(),
        installed_version=installed.version.version if installed else None,
        granted=granted,
        added=terms.added,
        removed=terms.removed,
        needs_consent=terms.needs_consent,
    )
