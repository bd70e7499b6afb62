"""Finds skills and versions by what people write: `namespace/name`, a bare name, a range."""

from uuid import UUID

from raptorflow.registry.errors import SkillNotFound, SkillNotInstalled, VersionNotFound
from raptorflow.registry.models import SkillRow, VersionRow
from raptorflow.registry.repository import Pinned, RegistryRepository
from raptorflow.skills.ranges import VersionRange, best_match

HOME_NAMESPACE = "raptorflow"


def ref_of(skill: SkillRow) -> str:
    """`namespace/name`."""
    return f"{skill.namespace}/{skill.name}"


def split_ref(ref: str) -> tuple[str | None, str]:
    """`namespace/name` or a bare `name`."""
    namespace, _, name = ref.rpartition("/")
    return namespace or None, name


async def find_installed(repository: RegistryRepository, org_id: UUID, ref: str) -> Pinned:
    """What an organisation has installed under a name.

    Raises:
        SkillNotInstalled: nothing.
    """
    namespace, name = split_ref(ref)
    found = await repository.installed(org_id, namespace, name)
    if found is None:
        raise SkillNotInstalled(f"The skill {ref} is not installed.")
    return found


async def find_skill(repository: RegistryRepository, org_id: UUID, ref: str) -> SkillRow:
    """A skill that an organisation may see; a bare name is an installed skill's, or one of ours.

    Raises:
        SkillNotFound: there is none; somebody else's private skill looks the same.
    """
    namespace, name = split_ref(ref)
    if namespace is None:
        pinned = await repository.installed(org_id, None, name)
        namespace = pinned.skill.namespace if pinned else HOME_NAMESPACE
    found = await repository.skill(org_id, namespace, name)
    if found is None:
        raise SkillNotFound(f"There is no skill {ref}.")
    return found


async def find_version(
    repository: RegistryRepository, org_id: UUID, ref: str, wanted: str
) -> tuple[SkillRow, VersionRow]:
    """The highest version in a range, and its skill.

    Raises:
        SkillNotFound: no such skill is there for the organisation.
        VersionNotFound: no version is in the range.
        VersionRangeInvalid: the range cannot be read.
    """
    skill = await find_skill(repository, org_id, ref)
    known = await repository.versions(org_id, skill.id)
    # An exact version is taken as it is, so that a build number or a prerelease needs no range.
    exact = wanted if wanted in known else best_match(known, VersionRange.parse(wanted))
    version = await repository.version(org_id, skill.id, exact) if exact else None
    if version is None:
        raise VersionNotFound(
            f"{ref} has no version {wanted}.", hint=f"It has: {', '.join(sorted(known)[-10:])}."
        )
    return skill, version
