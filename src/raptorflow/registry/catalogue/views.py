"""Rows of the catalogue as the API shows them."""

from raptorflow.registry.lookup import ref_of
from raptorflow.registry.models import SkillRow, VersionRow
from raptorflow.registry.repository import Listed, Pinned
from raptorflow.registry.schemas import (
    ActionView,
    InstalledVersion,
    SkillDetail,
    SkillSummary,
    SkillVersion,
    VariableView,
)
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill


def summary_view(found: Listed) -> SkillSummary:
    """A skill in a list."""
    skill = found.skill
    return SkillSummary.model_validate(
        {
            "ref": ref_of(skill),
            "namespace": skill.namespace,
            "name": skill.name,
            "version": skill.latest_version,
            "description": skill.description,
            "visibility": skill.visibility,
            "installed": found.installed_version is not None,
            "installed_version": found.installed_version,
            "updated_at": found.updated_at,
        }
    )


def version_view(skill: SkillRow, row: VersionRow) -> SkillVersion:
    """One version."""
    return SkillVersion.model_validate(_version(skill, row))


def detail_view(
    skill: SkillRow, row: VersionRow, read: Skill, installed: Pinned | None, publisher: str | None
) -> SkillDetail:
    """One version's page: what the row keeps, and what the files say."""
    pinned = installed.version if installed else None
    return SkillDetail.model_validate(
        {
            **_version(skill, row),
            # The row keeps schemas in the database's order of keys; the files have the author's.
            "actions": [ActionView.model_validate(action) for action in read.actions],
            "name": skill.name,
            "namespace": skill.namespace,
            "visibility": skill.visibility,
            "license": read.license,
            "compatibility": read.compatibility,
            "readme": read.body,
            "categories": read.categories,
            "tags": read.tags,
            "variables": [VariableView.model_validate(variable) for variable in read.variables],
            "requires": read.requires,
            "python": read.python,
            "published_by": publisher,
            "installed": InstalledVersion(version=pinned.version, digest=pinned.digest) if pinned else None,
            "latest_version": skill.latest_version,
        }
    )


def _version(skill: SkillRow, row: VersionRow) -> dict[str, object]:
    capabilities = Capabilities.model_validate(row.capabilities)
    return {
        "ref": ref_of(skill),
        "version": row.version,
        "digest": row.digest,
        "description": row.description,
        "published_at": row.created_at,
        "files": row.files,
        "actions": row.actions,
        "capabilities": capabilities,
        "permissions": capabilities.plain_words(),
        "provenance": row.provenance,
    }
