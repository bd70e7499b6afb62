"""Takes archives and says how far their publishes have come; `job.py` does the work."""

from uuid import UUID

from raptorflow.accounts.identity import PublishingBuild
from raptorflow.base.errors import TooLarge
from raptorflow.base.ids import new_id
from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.core.jobs import enqueue
from raptorflow.registry.errors import PublishNotFound
from raptorflow.registry.library import archive_key
from raptorflow.registry.models import PublishRow
from raptorflow.registry.publishes.job import JOB
from raptorflow.registry.publishes.repository import PublishesRepository
from raptorflow.registry.schemas import PublishReceipt, Visibility


class Publishes:
    """Publishes, from upload to receipt.

    Args:
        database: where they are.
        blobs: where archives wait.
        max_archive_bytes: the largest archive that is taken.
    """

    def __init__(self, database: Database, blobs: BlobStore, max_archive_bytes: int) -> None:
        self._database = database
        self._blobs = blobs
        self._max_bytes = max_archive_bytes

    async def take(
        self,
        owner: tuple[UUID, str],
        publisher: tuple[UUID | None, PublishingBuild | None],
        archive: bytes,
        *,
        visibility: Visibility,
        install: bool,
        key: str | None,
    ) -> PublishReceipt:
        """Keep an archive and enqueue its publish; as `SkillsRegistry.publish`."""
        (org_id, namespace), (user_id, build) = owner, publisher
        if len(archive) > self._max_bytes:
            raise TooLarge(f"The archive has {len(archive):,} bytes; {self._max_bytes:,} are the limit.")
        await self._blobs.put(archive_key(archive), archive)
        async with self._database.session(org_id) as session:
            repository = PublishesRepository(session)
            known = await repository.by_key(org_id, key) if key else None
            if known and known.status != "failed":
                return _receipt(known)
            if known:
                # What was refused may be allowed since, or be asked for by somebody who may.
                known.idempotency_key = None
                await session.flush()
            row = PublishRow(
                id=new_id(),
                org_id=org_id,
                user_id=user_id,
                build=build.model_dump(mode="json") if build else None,
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

    async def status(self, org_id: UUID, publish_id: UUID) -> PublishReceipt:
        """How far a publish has come; as `SkillsRegistry.publish_status`."""
        async with self._database.session(org_id) as session:
            row = await PublishesRepository(session).publish(org_id, publish_id)
        if row is None:
            raise PublishNotFound(f"There is no publish {publish_id}.")
        return _receipt(row)


def _receipt(row: PublishRow) -> PublishReceipt:
    return PublishReceipt.model_validate({"publish_id": row.id, **_columns(row)})


def _columns(row: PublishRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("status", "step", "skill", "version", "digest", "problem")}
