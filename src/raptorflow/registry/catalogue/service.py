"""What there is to see: skills, their versions, pages and files."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from raptorflow.core.db import Database
from raptorflow.registry.catalogue.views import detail_view, summary_view, version_view
from raptorflow.registry.errors import FileNotInSkill
from raptorflow.registry.library import Library, files_of
from raptorflow.registry.loading import Loader
from raptorflow.registry.lookup import find_skill, find_version, ref_of
from raptorflow.registry.repository import RegistryRepository
from raptorflow.registry.schemas import SkillDetail, SkillPage, SkillVersion, VersionItem, VersionList
from raptorflow.skills.archive import pack_files
from raptorflow.skills.ranges import newest_first

NameOf = Callable[[UUID], Awaitable[str | None]]


class Catalogue:
    """Reads what is published. Each call is one transaction for the organisation that asks.

    Args:
        database: where skills and versions are.
        library: gives files.
        loader: reads skills.
    """

    def __init__(self, database: Database, library: Library, loader: Loader) -> None:
        self._database = database
        self._library = library
        self._loader = loader

    async def list(self, org_id: UUID, cursor: str | None, limit: int) -> SkillPage:
        """A page of the skills an organisation may see."""
        async with self._database.session(org_id) as session:
            found = await RegistryRepository(session).skills(org_id, cursor, limit + 1)
        items = [summary_view(row) for row in found[:limit]]
        return SkillPage(items=items, next=items[-1].ref if len(found) > limit else None)

    async def versions(self, org_id: UUID, ref: str) -> VersionList:
        """All versions of a skill, the newest first."""
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill = await find_skill(repository, org_id, ref)
            found = {row.version: row for row in await repository.history(org_id, skill.id)}
        items = [VersionItem.model_validate(found[version]) for version in newest_first(found)]
        return VersionList(ref=ref_of(skill), versions=[item.version for item in items], items=items)

    async def resolve(self, org_id: UUID, ref: str, wanted: str) -> SkillVersion:
        """The highest version in a range."""
        async with self._database.session(org_id) as session:
            skill, version = await find_version(RegistryRepository(session), org_id, ref, wanted)
        return version_view(skill, version)

    async def page(self, org_id: UUID, ref: str, wanted: str, name_of: NameOf | None) -> SkillDetail:
        """Everything about a version; as `SkillsRegistry.page`."""
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill, version = await find_version(repository, org_id, ref, wanted)
            installed = await repository.installed(org_id, skill.namespace, skill.name)
        publisher = version.published_by if skill.org_id == org_id else None
        name = await name_of(publisher) if name_of and publisher else None
        return detail_view(skill, version, await self._loader.read(version, skill.name), installed, name)

    async def file(self, org_id: UUID, ref: str, wanted: str, path: str) -> bytes:
        """A file of a version."""
        version = await self.resolve(org_id, ref, wanted)
        file = next((file for file in version.files if file.path == path), None)
        if file is None:
            raise FileNotInSkill(f"{version.ref} {version.version} has no file {path}.")
        return await self._library.read(file.sha256)

    async def archive(self, org_id: UUID, ref: str, wanted: str) -> bytes:
        """A version as an archive."""
        version = await self.resolve(org_id, ref, wanted)
        files = files_of([file.model_dump() for file in version.files])
        executables = {file.path for file in files if file.executable}
        name = version.ref.rpartition("/")[2]
        return pack_files(name, await self._library.read_all(files), executables)
