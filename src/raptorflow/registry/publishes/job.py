"""The publish job: check, scan, build the environment, store, index. Nothing is visible before all passed.

Each step is journaled by the engine and safe to run again: blobs and environments are named by content,
and the last step writes version, index, installation and news in one transaction.
"""

from uuid import UUID

from packaging.specifiers import SpecifierSet

from raptorflow.accounts.identity import PublishingBuild
from raptorflow.base.clock import utc_now
from raptorflow.base.errors import NotPermitted
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.core.jobs import JobContext, JobRunner
from raptorflow.core.outbox import emit
from raptorflow.registry.environments import Environments
from raptorflow.registry.errors import EnvironmentUnsolvable, PublishNotFound, VersionExists
from raptorflow.registry.library import Library, blob_key
from raptorflow.registry.models import InstallationRow, PublishRow, SkillRow, VersionRow
from raptorflow.registry.publishes.repository import PublishesRepository
from raptorflow.registry.publishes.scanning import refuse_harmful
from raptorflow.registry.repository import RegistryRepository
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.repository import index_skill
from raptorflow.registry.search.service import SkillSearch
from raptorflow.skills.archive import Unpacked, unpack
from raptorflow.skills.digest import file_digest
from raptorflow.skills.model import Skill
from raptorflow.skills.pep723 import skill_dependencies
from raptorflow.skills.ranges import VersionRange, best_match
from raptorflow.skills.reader import read_skill_files

JOB = "registry.publish"


class Publisher:
    """Runs publishes; `register` hands it to the engine."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        library: Library,
        environments: Environments,
        search: SkillSearch,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._library = library
        self._environments = environments
        self._search = search

    def register(self, engine: JobRunner) -> None:
        """Let the engine run publishes."""
        engine.register(JOB, self.run, self.fail)

    async def run(self, context: JobContext, payload: JsonObject) -> None:
        """Publish what the payload's `publish_id` names."""
        publish_id, namespace = UUID(payload["publish_id"]), str(payload["namespace"])

        async def checking() -> str:
            await self._mark(context.org_id, publish_id, {"status": "running", "step": "checking"})
            return await self._check(context.org_id, publish_id, namespace)

        async def scanning() -> None:
            await self._mark(context.org_id, publish_id, {"step": "scanning"})
            unpacked, skill = await self._read(context.org_id, publish_id)
            await refuse_harmful(unpacked.files, skill.name)

        async def environment() -> str | None:
            await self._mark(context.org_id, publish_id, {"step": "environment"})
            return await self._build_environment(context.org_id, publish_id)

        async def storing() -> None:
            await self._mark(context.org_id, publish_id, {"step": "storing"})
            unpacked, _ = await self._read(context.org_id, publish_id)
            await self._library.store(unpacked.files)

        if await context.step("checking", checking) == "known":
            return
        await context.step("scanning", scanning)
        lock_digest = await context.step("environment", environment)
        await context.step("storing", storing)

        async def indexing() -> None:
            await self._mark(context.org_id, publish_id, {"step": "indexing"})
            await self._make_visible(context.org_id, publish_id, namespace, lock_digest)

        await context.step("indexing", indexing)

    async def fail(self, context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        """Write why a publish failed, for its owner."""
        values = {"status": "failed", "problem": problem, "finished_at": utc_now()}
        await self._mark(context.org_id, UUID(payload["publish_id"]), values)

    async def _check(self, org_id: UUID, publish_id: UUID, namespace: str) -> str:
        """Validate the archive; `known` when this very version is published already."""
        _, skill = await self._read(org_id, publish_id)
        found = {"skill": skill.name, "version": skill.version, "digest": skill.digest}
        await self._mark(org_id, publish_id, found)
        async with self._database.session(org_id) as session:
            repository = RegistryRepository(session)
            known = await repository.version_of(org_id, namespace, skill.name, skill.version)
            publishes = PublishesRepository(session)
            row = await publishes.publish(org_id, publish_id)
            _refuse_other_skill(row, skill)
            if known is None:
                return "new"
            _refuse_other_content(known, skill)
            if row and row.install:
                await _install(repository, row, known)
            done = {"status": "published", "finished_at": utc_now(), "step": None}
            await publishes.change(org_id, publish_id, done)
        return "known"

    async def _build_environment(self, org_id: UUID, publish_id: UUID) -> str | None:
        """Lock and build; the lock is kept as a blob, its digest is the answer."""
        unpacked, skill = await self._read(org_id, publish_id)
        dependencies = skill_dependencies(unpacked.files)
        if not dependencies:
            return None
        version = await self._environments.python_version()
        if not SpecifierSet(skill.python).contains(version, prereleases=True):
            raise EnvironmentUnsolvable(
                f"{skill.name} needs Python {skill.python}; the sandbox has {version}.",
                hint="Widen `[runtime] python` in skill.toml.",
            )
        lock = await self._environments.lock(dependencies)
        await self._environments.ensure(lock)
        digest = file_digest(lock.encode())
        await self._blobs.put(blob_key(digest), lock.encode())
        return digest

    async def _make_visible(
        self, org_id: UUID, publish_id: UUID, namespace: str, lock_digest: str | None
    ) -> None:
        _, skill = await self._read(org_id, publish_id)
        document = SearchText(" ".join([skill.name, *skill.tags]), skill.description, skill.body)
        vector = await self._search.vector_of(document)
        async with self._database.session(org_id) as session:
            repository, publishes = RegistryRepository(session), PublishesRepository(session)
            publish = await _known(publishes, org_id, publish_id)
            row = await repository.upsert_skill(_skill_row(publish, namespace, skill))
            if row.org_id != org_id:
                raise NotPermitted(f"{namespace}/{skill.name} belongs to another organisation.")
            version = await repository.version(org_id, row.id, skill.version)
            if version is None:
                version = _version_row(publish, row, skill, lock_digest)
                await repository.add(version)
            _refuse_other_content(version, skill)
            newest = best_match(await repository.versions(org_id, row.id), VersionRange.parse("latest"))
            if newest == skill.version:
                row.latest_version, row.description = skill.version, skill.description
                await index_skill(session, row.id, (org_id, row.visibility), document, vector)
            if publish.install:
                await _install(repository, publish, version)
            values = {"status": "published", "finished_at": utc_now(), "step": None}
            await publishes.change(org_id, publish_id, values)
            news = {"skill": f"{namespace}/{skill.name}", "version": skill.version, "digest": skill.digest}
            await emit(session, org_id=org_id, name="SkillPublished", payload=news)

    async def _read(self, org_id: UUID, publish_id: UUID) -> tuple[Unpacked, Skill]:
        async with self._database.session(org_id) as session:
            publish = await _known(PublishesRepository(session), org_id, publish_id)
        unpacked = unpack(await self._blobs.get(publish.archive_key))
        return unpacked, read_skill_files(unpacked.files, unpacked.folder_name, unpacked.executables)

    async def _mark(self, org_id: UUID, publish_id: UUID, values: JsonObject) -> None:
        async with self._database.session(org_id) as session:
            await PublishesRepository(session).change(org_id, publish_id, values)


async def _known(repository: PublishesRepository, org_id: UUID, publish_id: UUID) -> PublishRow:
    publish = await repository.publish(org_id, publish_id)
    if publish is None:
        raise PublishNotFound(f"There is no publish {publish_id}.")
    return publish


def _refuse_other_content(known: VersionRow, skill: Skill) -> None:
    if known.digest != skill.digest:
        raise VersionExists(
            f"{skill.name} {skill.version} is published with other content ({known.digest[:19]}…)."
        )


def _refuse_other_skill(publish: PublishRow | None, skill: Skill) -> None:
    build = PublishingBuild.model_validate(publish.build) if publish and publish.build else None
    if build and build.skills is not None and skill.name not in build.skills:
        raise NotPermitted(
            f"This build is trusted to publish {', '.join(build.skills)}, and not {skill.name}.",
            hint="An administrator adds a publisher for it with POST /api/v1/accounts/publishers.",
        )


async def _install(repository: RegistryRepository, publish: PublishRow, version: VersionRow) -> None:
    """Install for the publishing organisation, granting what the skill declares: its author asked for it."""
    await repository.put_installation(
        InstallationRow(
            id=new_id(),
            org_id=publish.org_id,
            skill_id=version.skill_id,
            version_id=version.id,
            granted=version.capabilities,
            installed_by=publish.user_id,
        )
    )


def _skill_row(publish: PublishRow, namespace: str, skill: Skill) -> SkillRow:
    return SkillRow(
        id=new_id(),
        org_id=publish.org_id,
        namespace=namespace,
        name=skill.name,
        visibility=publish.visibility,
        latest_version=skill.version,
        description=skill.description,
    )


def _version_row(publish: PublishRow, row: SkillRow, skill: Skill, lock_digest: str | None) -> VersionRow:
    return VersionRow(
        org_id=publish.org_id,
        skill_id=row.id,
        visibility=row.visibility,
        version=skill.version,
        digest=skill.digest,
        description=skill.description,
        files=[
            {"path": file.path, "size": file.size, "sha256": file.sha256, "executable": file.executable}
            for file in skill.files
        ],
        capabilities=skill.capabilities.model_dump(mode="json"),
        actions=[
            {
                "name": action.name,
                "description": action.description,
                "input_schema": action.input_schema,
                "output_schema": action.output_schema,
            }
            for action in skill.actions
        ],
        lock_digest=lock_digest,
        published_by=publish.user_id,
        provenance=publish.build["provenance"] if publish.build else None,
    )
