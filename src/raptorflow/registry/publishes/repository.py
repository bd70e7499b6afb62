"""The queries on publishes. Each takes the owner."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject
from raptorflow.registry.models import PublishRow


class PublishesRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: PublishRow) -> None:
        """Write a new publish."""
        self._session.add(row)
        await self._session.flush()

    async def publish(self, org_id: UUID, publish_id: UUID) -> PublishRow | None:
        """An organisation's publish."""
        return await self._session.scalar(
            select(PublishRow).where(PublishRow.org_id == org_id, PublishRow.id == publish_id)
        )

    async def by_key(self, org_id: UUID, key: str) -> PublishRow | None:
        """An organisation's publish by its idempotency key."""
        return await self._session.scalar(
            select(PublishRow).where(PublishRow.org_id == org_id, PublishRow.idempotency_key == key)
        )

    async def change(self, org_id: UUID, publish_id: UUID, values: JsonObject) -> None:
        """Write how far a publish has come."""
        await self._session.execute(
            update(PublishRow)
            .where(PublishRow.org_id == org_id, PublishRow.id == publish_id)
            .values(**values)
        )
