"""`SkillsRegistry`: publish, find, install and load skills."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.accounts.identity import PublishingBuild
from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.registry.catalogue.service import Catalogue, NameOf
from raptorflow.registry.environments import Environments
from raptorflow.registry.errors import FileNotInSkill
from raptorflow.registry.installations.service import Installations
from raptorflow.registry.library import Library, files_of
from raptorflow.registry.loading import LoadedSkill, Loader
from raptorflow.registry.lookup import find_installed
from raptorflow.registry.publishes.job import Publisher
from raptorflow.registry.publishes.service import Publishes
from raptorflow.registry.repository import RegistryRepository
from raptorflow.registry.schemas import (
    Consent,
    Installation,
    InstallRequest,
    PublishReceipt,
    SearchResult,
    SkillDetail,
    SkillPage,
    SkillVersion,
    VersionList,
    Visibility,
)
from raptorflow.registry.search.service import SkillSearch
from raptorflow.registry.settings import RegistrySettings
from raptorflow.skills.capabilities import Capabilities

PAGE = 50


class SkillsRegistry:
    """The facade of the registry.

    Args:
        database: where everything but the files is.
        blobs: where the files are.
        search: finds and indexes.
        library: lays skills out on this machine.
        environments: builds their environments.
        settings: limits.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        search: SkillSearch,
        library: Library,
        environments: Environments,
        settings: RegistrySettings,
    ) -> None:
        self._database = database
        self._search = search
        self._library = library
        self._settings = settings
        self._loader = Loader(blobs, library, environments, settings.cached_skills)
        self._publisher = Publisher(database, blobs, library, environments, search)
        self._publishes = Publishes(database, blobs, settings.max_archive_bytes)
        self._catalogue = Catalogue(database, library, self._loader)
        self._installations = Installations(database)

    @property
    def max_archive_bytes(self) -> int:
        """The largest archive that is taken."""
        return self._settings.max_archive_bytes

    def publisher(self) -> Publisher:
        """What runs publishes in a worker."""
        return self._publisher

    async def publish(
        self,
        owner: tuple[UUID, str],
        user_id: UUID | None,
        archive: bytes,
        *,
        build: PublishingBuild | None = None,
        visibility: Visibility = "org",
        install: bool = False,
        key: str | None = None,
    ) -> PublishReceipt:
        """Take an archive and publish it in the background.

        Args:
            owner: the organisation and its slug, the namespace.
            user_id: who publishes.
            archive: as `raptorflow skill pack` makes it.
            build: the trusted build that publishes, when it is one.
            visibility: for everybody here, or for the organisation alone.
            install: install it for the organisation too, once published.
            key: an idempotency key; the same key gives the same publish, unless that one has failed.

        Raises:
            TooLarge: the archive passes the limit.
        """
        return await self._publishes.take(
            owner, (user_id, build), archive, visibility=visibility, install=install, key=key
        )

    async def publish_status(self, org_id: UUID, publish_id: UUID) -> PublishReceipt:
        """How far a publish has come.

        Raises:
            PublishNotFound: there is no such publish of the organisation.
        """
        return await self._publishes.status(org_id, publish_id)

    async def list(self, org_id: UUID, *, cursor: str | None = None, limit: int = PAGE) -> SkillPage:
        """The skills an organisation may see, by `namespace/name`."""
        return await self._catalogue.list(org_id, cursor, limit)

    async def versions(self, org_id: UUID, ref: str) -> VersionList:
        """All versions of a skill, the newest first.

        Raises:
            SkillNotFound: no such skill is there for the organisation.
        """
        return await self._catalogue.versions(org_id, ref)

    async def resolve(self, org_id: UUID, ref: str, wanted: str = "latest") -> SkillVersion:
        """The highest version in a range.

        Raises:
            SkillNotFound: no such skill is there for the organisation.
            VersionNotFound: no version is in the range.
            VersionRangeInvalid: the range cannot be read.
        """
        return await self._catalogue.resolve(org_id, ref, wanted)

    async def page(
        self, org_id: UUID, ref: str, wanted: str = "latest", *, name_of: NameOf | None = None
    ) -> SkillDetail:
        """Everything about a version, as it was published: nothing of its texts is interpreted.

        Who published it is said within the publishing organisation alone. To others its namespace speaks
        for it, and the names of an organisation's members are nobody else's to read.

        Args:
            org_id: who asks.
            ref: the skill.
            wanted: a range.
            name_of: tells the display name of a user (of `accounts`); without it nobody is named.

        Raises:
            SkillNotFound, VersionNotFound, VersionRangeInvalid: as `resolve`.
            BlobMissing: a file of it is gone, or was changed.
        """
        return await self._catalogue.page(org_id, ref, wanted, name_of)

    async def consent(self, org_id: UUID, ref: str, wanted: str = "latest") -> Consent:
        """What an organisation has to agree to before it uses a version.

        Raises:
            SkillNotFound, VersionNotFound, VersionRangeInvalid: as `resolve`.
        """
        return await self._installations.consent(org_id, ref, wanted)

    async def file(self, org_id: UUID, ref: str, wanted: str, path: str) -> bytes:
        """A file of a version.

        Raises:
            FileNotInSkill: the version has no such file.
        """
        return await self._catalogue.file(org_id, ref, wanted, path)

    async def archive(self, org_id: UUID, ref: str, wanted: str) -> bytes:
        """A version as an archive, the same bytes as it was packed to."""
        return await self._catalogue.archive(org_id, ref, wanted)

    async def install(
        self,
        org_id: UUID,
        user_id: UUID | None,
        ref: str,
        wanted: str = "latest",
        granted: Capabilities | None = None,
        digest: str | None = None,
    ) -> Installation:
        """Install a version, or move an installation to it, with what is granted.

        Args:
            org_id: for whom.
            user_id: who agrees.
            ref: the skill.
            wanted: a range.
            granted: what the skill may do; what it declares when left out.
            digest: of the version that was read; any other is refused.

        Raises:
            SkillNotFound, VersionNotFound, VersionRangeInvalid: as `resolve`.
            DigestMismatch: the version is not the one that was read.
            GrantTooLarge: more is granted than the skill declares.
        """
        request = InstallRequest(version=wanted, granted=granted, digest=digest)
        return await self._installations.install(org_id, user_id, ref, request)

    async def uninstall(self, org_id: UUID, ref: str) -> None:
        """Remove an installation.

        Raises:
            SkillNotInstalled: there is none.
        """
        await self._installations.uninstall(org_id, ref)

    async def installations(self, org_id: UUID) -> Sequence[Installation]:
        """What an organisation has installed."""
        return await self._installations.list(org_id)

    async def search(
        self,
        org_id: UUID,
        query: str,
        limit: int = 5,
        *,
        typing: bool = False,
        suggestions: int | None = None,
    ) -> SearchResult:
        """The skills that fit a question: installed ones, then a few suggestions.

        With `typing` the last word may go on: `anal` finds analytics. `suggestions` is how many skills that
        are not installed may follow; the settings decide when it is None.
        """
        return await self._search.search(org_id, query, limit, typing=typing, suggestions=suggestions)

    async def load(self, org_id: UUID, name: str) -> LoadedSkill:
        """An installed skill, ready to use.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
        """
        async with self._database.session(org_id) as session:
            found = await find_installed(RegistryRepository(session), org_id, name)
        return await self._loader.load(found)

    async def actions(self, org_id: UUID, name: str) -> Sequence[str]:
        """The names of an installed skill's actions.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
        """
        async with self._database.session(org_id) as session:
            found = await find_installed(RegistryRepository(session), org_id, name)
        return [str(action["name"]) for action in found.version.actions]

    async def read_file(self, org_id: UUID, name: str, path: str) -> bytes:
        """A file of an installed skill.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
            FileNotInSkill: it has no such file.
        """
        async with self._database.session(org_id) as session:
            found = await find_installed(RegistryRepository(session), org_id, name)
        files = files_of(found.version.files)
        file = next((file for file in files if file.path == path), None)
        if file is None:
            known = ", ".join(file.path for file in files[:20])
            raise FileNotInSkill(f"{name} has no file {path}.", hint=f"It has: {known}.")
        return await self._library.read(file.sha256)
