"""`SkillsRegistry`: publish, find, install and load skills."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from raptorflow.base.errors import TooLarge
from raptorflow.base.ids import new_id
from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.core.jobs import enqueue
from raptorflow.registry.environments import Environments
from raptorflow.registry.errors import (
    FileNotInSkill,
    GrantTooLarge,
    PublishNotFound,
    SkillNotFound,
    SkillNotInstalled,
    VersionNotFound,
)
from raptorflow.registry.library import Library, archive_key, blob_key, files_of
from raptorflow.registry.loading import LoadedSkill
from raptorflow.registry.models import InstallationRow, PublishRow, SkillRow, VersionRow
from raptorflow.registry.publishing import JOB, Publisher
from raptorflow.registry.repository import Pinned, RegistryRepository
from raptorflow.registry.schemas import (
    Installation,
    PublishReceipt,
    SearchResult,
    SkillPage,
    SkillSummary,
    SkillVersion,
    VersionList,
    Visibility,
)
from raptorflow.registry.search.service import SkillSearch
from raptorflow.registry.settings import RegistrySettings
from raptorflow.skills.archive import pack_files
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill
from raptorflow.skills.ranges import VersionRange, best_match
from raptorflow.skills.reader import read_skill_files

HOME_NAMESPACE = "raptorflow"
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
        self._blobs = blobs
        self._search = search
        self._library = library
        self._environments = environments
        self._settings = settings
        self._read: OrderedDict[str, Skill] = OrderedDict()
        self._built: dict[str, Path] = {}

    @property
    def max_archive_bytes(self) -> int:
        """The largest archive that is taken."""
        return self._settings.max_archive_bytes

    def publisher(self) -> Publisher:
        """What runs publishes in a worker."""
        return Publisher(self._database, self._blobs, self._library, self._environments, self._search)

    async def publish(
        self,
        owner: tuple[UUID, str],
        user_id: UUID | None,
        archive: bytes,
        *,
        visibility: Visibility = "org",
        install: bool = False,
        key: str | None = None,
    ) -> PublishReceipt:
        """Take an archive and publish it in the background.

        Args:
            owner: the organisation and its slug, the namespace.
            user_id: who publishes.
            archive: as `raptorflow skill pack` makes it.
            visibility: for everybody here, or for the organisation alone.
            install: install it for the organisation too, once published.
            key: an idempotency key; the same key gives the same publish.

        Raises:
            TooLarge: the archive passes the limit.
        """
        org_id, namespace = owner
        if len(archive) > self._settings.max_archive_bytes:
            raise TooLarge(
                f"The archive has {len(archive):,} bytes; {self._settings.max_archive_bytes:,} are the limit."
            )
        await self._blobs.put(archive_key(archive), archive)
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            known = await repository.publish_by_key(org_id, key) if key else None
            if known:
                return _receipt(known)
            row = PublishRow(
                id=new_id(),
                org_id=org_id,
                user_id=user_id,
                visibility=visibility,
                install=install,
                archive_key=archive_key(archive),
                idempotency_key=key,
                status="queued",
            )
            await repository.add(row)
            payload = {"publish_id": str(row.id), "namespace": namespace}
            await enqueue(session, org_id=org_id, name=JOB, payload=payload)
            return _receipt(row)

    async def publish_status(self, org_id: UUID, publish_id: UUID) -> PublishReceipt:
        """How far a publish has come.

        Raises:
            PublishNotFound: there is no such publish of the organisation.
        """
        async with self._database.session(org_id) as session:
            row = await RegistryRepository(session).publish(org_id, publish_id)
        if row is None:
            raise PublishNotFound(f"There is no publish {publish_id}.")
        return _receipt(row)

    async def list(self, org_id: UUID, *, cursor: str | None = None, limit: int = PAGE) -> SkillPage:
        """The skills an organisation may see, by `namespace/name`."""
        async with self._database.session(org_id) as session:
            rows = await RegistryRepository(session).skills(org_id, cursor, limit + 1)
        items = [_summary(row, installed) for row, installed in rows[:limit]]
        return SkillPage(items=items, next=items[-1].ref if len(rows) > limit else None)

    async def versions(self, org_id: UUID, ref: str) -> VersionList:
        """All versions of a skill, the newest first.

        Raises:
            SkillNotFound: no such skill is there for the organisation.
        """
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill = await _skill(repository, org_id, ref)
            known = list(await repository.versions(skill.id))
        ordered: list[str] = []
        while newest := best_match(known, VersionRange.parse("*")):
            ordered.append(newest)
            known.remove(newest)
        return VersionList(ref=_ref(skill), versions=ordered)

    async def resolve(self, org_id: UUID, ref: str, wanted: str = "latest") -> SkillVersion:
        """The highest version in a range.

        Raises:
            SkillNotFound: no such skill is there for the organisation.
            VersionNotFound: no version is in the range.
            VersionRangeInvalid: the range cannot be read.
        """
        async with self._database.session(org_id) as session:
            skill, version = await _resolve(RegistryRepository(session), org_id, ref, wanted)
        return _version(skill, version)

    async def file(self, org_id: UUID, ref: str, wanted: str, path: str) -> bytes:
        """A file of a version.

        Raises:
            FileNotInSkill: the version has no such file.
        """
        version = await self.resolve(org_id, ref, wanted)
        file = next((file for file in version.files if file.path == path), None)
        if file is None:
            raise FileNotInSkill(f"{version.ref} {version.version} has no file {path}.")
        return await self._library.read(file.sha256)

    async def archive(self, org_id: UUID, ref: str, wanted: str) -> bytes:
        """A version as an archive, the same bytes as it was packed to."""
        version = await self.resolve(org_id, ref, wanted)
        files = files_of([file.model_dump() for file in version.files])
        executables = {file.path for file in files if file.executable}
        name = version.ref.rpartition("/")[2]
        return pack_files(name, await self._library.read_all(files), executables)

    async def install(
        self,
        org_id: UUID,
        user_id: UUID | None,
        ref: str,
        wanted: str = "latest",
        granted: Capabilities | None = None,
    ) -> Installation:
        """Install a version, or move an installation to it, with what is granted.

        Raises:
            GrantTooLarge: more is granted than the skill declares.
        """
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill, version = await _resolve(repository, org_id, ref, wanted)
            declared = Capabilities.model_validate(version.capabilities)
            grant = granted or declared
            if not grant.is_subset(declared):
                beyond = grant.difference(declared).plain_words()
                raise GrantTooLarge(f"{_ref(skill)} does not declare: {' '.join(beyond)}")
            row = InstallationRow(
                id=new_id(),
                org_id=org_id,
                skill_id=skill.id,
                version_id=version.id,
                granted=grant.model_dump(mode="json"),
                installed_by=user_id,
            )
            await repository.put_installation(row)
            found = await repository.installed(org_id, skill.namespace, skill.name)
        if found is None:
            raise SkillNotInstalled(f"{ref} is not installed.")
        return _installation(found)

    async def uninstall(self, org_id: UUID, ref: str) -> None:
        """Remove an installation.

        Raises:
            SkillNotInstalled: there is none.
        """
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            skill = await _skill(repository, org_id, ref)
            if not await repository.remove_installation(org_id, skill.id):
                raise SkillNotInstalled(f"{ref} is not installed.")

    async def installations(self, org_id: UUID) -> Sequence[Installation]:
        """What an organisation has installed."""
        async with self._database.session(org_id) as session:
            return [_installation(row) for row in await RegistryRepository(session).installations(org_id)]

    async def search(self, org_id: UUID, query: str, limit: int = 5) -> SearchResult:
        """The skills that fit a question: installed ones, then a few suggestions."""
        return await self._search.search(org_id, query, limit)

    async def load(self, org_id: UUID, name: str) -> LoadedSkill:
        """An installed skill, ready to use.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
        """
        async with self._database.session(org_id) as session:
            found = await _installed(RegistryRepository(session), org_id, name)
        version = found.version
        files = files_of(version.files)
        skill_dir = await self._library.lay_out(version.digest, files)
        skill = self._read.get(version.digest)
        if skill is None:
            skill = await self._read_skill(found)
        self._read.move_to_end(version.digest)
        return LoadedSkill(
            skill=skill,
            ref=_ref(found.skill),
            version=version.version,
            digest=version.digest,
            granted=Capabilities.model_validate(found.installation.granted),
            skill_dir=skill_dir,
            env_dir=await self._environment(version.lock_digest),
            installation_id=found.installation.id,
        )

    async def actions(self, org_id: UUID, name: str) -> Sequence[str]:
        """The names of an installed skill's actions.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
        """
        async with self._database.session(org_id) as session:
            found = await _installed(RegistryRepository(session), org_id, name)
        return [str(action["name"]) for action in found.version.actions]

    async def read_file(self, org_id: UUID, name: str, path: str) -> bytes:
        """A file of an installed skill.

        Raises:
            SkillNotInstalled: the organisation has not installed it.
            FileNotInSkill: it has no such file.
        """
        async with self._database.session(org_id) as session:
            found = await _installed(RegistryRepository(session), org_id, name)
        file = next((file for file in files_of(found.version.files) if file.path == path), None)
        if file is None:
            known = ", ".join(file.path for file in files_of(found.version.files)[:20])
            raise FileNotInSkill(f"{name} has no file {path}.", hint=f"It has: {known}.")
        return await self._library.read(file.sha256)

    async def _read_skill(self, found: Pinned) -> Skill:
        files = files_of(found.version.files)
        executables = {file.path for file in files if file.executable}
        contents = await self._library.read_all(files)
        skill = read_skill_files(contents, found.skill.name, executables)
        self._read[found.version.digest] = skill
        while len(self._read) > self._settings.cached_skills:
            self._read.popitem(last=False)
        return skill

    async def _environment(self, lock_digest: str | None) -> Path | None:
        """The environment of a lock; built here when another machine has published the skill."""
        if lock_digest is None:
            return None
        known = self._built.get(lock_digest)
        if known is None or not known.exists():
            lock = (await self._blobs.get(blob_key(lock_digest))).decode()
            known = self._built[lock_digest] = await self._environments.ensure(lock)
        return known


def _ref(skill: SkillRow) -> str:
    return f"{skill.namespace}/{skill.name}"


def split_ref(ref: str) -> tuple[str | None, str]:
    """`namespace/name` or a bare `name`."""
    namespace, _, name = ref.rpartition("/")
    return namespace or None, name


async def _installed(repository: RegistryRepository, org_id: UUID, ref: str) -> Pinned:
    namespace, name = split_ref(ref)
    found = await repository.installed(org_id, namespace, name)
    if found is None:
        raise SkillNotInstalled(f"The skill {ref} is not installed.")
    return found


async def _skill(repository: RegistryRepository, org_id: UUID, ref: str) -> SkillRow:
    namespace, name = split_ref(ref)
    if namespace is None:
        pinned = await repository.installed(org_id, None, name)
        namespace = pinned.skill.namespace if pinned else HOME_NAMESPACE
    found = await repository.skill(org_id, namespace, name)
    if found is None:
        raise SkillNotFound(f"There is no skill {ref}.")
    return found


async def _resolve(
    repository: RegistryRepository, org_id: UUID, ref: str, wanted: str
) -> tuple[SkillRow, VersionRow]:
    skill = await _skill(repository, org_id, ref)
    known = await repository.versions(skill.id)
    # An exact version is taken as it is, so that a build number or a prerelease needs no range.
    exact = wanted if wanted in known else best_match(known, VersionRange.parse(wanted))
    version = await repository.version(skill.id, exact) if exact else None
    if version is None:
        raise VersionNotFound(
            f"{ref} has no version {wanted}.", hint=f"It has: {', '.join(sorted(known)[-10:])}."
        )
    return skill, version


def _receipt(row: PublishRow) -> PublishReceipt:
    return PublishReceipt.model_validate({"publish_id": row.id, **_columns(row)})


def _columns(row: PublishRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("status", "step", "skill", "version", "digest", "problem")}


def _summary(row: SkillRow, installed: bool) -> SkillSummary:
    return SkillSummary.model_validate(
        {
            "ref": _ref(row),
            "namespace": row.namespace,
            "name": row.name,
            "version": row.latest_version,
            "description": row.description,
            "visibility": row.visibility,
            "installed": installed,
        }
    )


def _version(skill: SkillRow, row: VersionRow) -> SkillVersion:
    capabilities = Capabilities.model_validate(row.capabilities)
    return SkillVersion.model_validate(
        {
            "ref": _ref(skill),
            "version": row.version,
            "digest": row.digest,
            "description": row.description,
            "published_at": row.created_at,
            "files": row.files,
            "actions": row.actions,
            "capabilities": capabilities,
            "permissions": capabilities.plain_words(),
        }
    )


def _installation(found: Pinned) -> Installation:
    granted = Capabilities.model_validate(found.installation.granted)
    return Installation(
        id=found.installation.id,
        ref=_ref(found.skill),
        name=found.skill.name,
        version=found.version.version,
        digest=found.version.digest,
        description=found.version.description,
        granted=granted,
        permissions=granted.plain_words(),
        installed_at=found.installation.created_at,
    )
