"""Every query on connected models. Each takes the owner."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.connections.models import ModelConnectionRow


class ConnectionsRepository:
    """The queries of one organisation, over one transaction.

    Args:
        session: the transaction.
        org_id: whose connections.
    """

    def __init__(self, session: AsyncSession, org_id: UUID) -> None:
        self._session = session
        self._org_id = org_id

    async def add(self, row: ModelConnectionRow) -> None:
        """Write a new connection."""
        self._session.add(row)
        await self._session.flush()

    async def count(self) -> int:
        """How many there are."""
        query = select(func.count()).where(ModelConnectionRow.org_id == self._org_id)
        return await self._session.scalar(query) or 0

    async def all(self) -> Sequence[ModelConnectionRow]:
        """All of them, the oldest first."""
        query = select(ModelConnectionRow).where(ModelConnectionRow.org_id == self._org_id)
        return (await self._session.scalars(query.order_by(ModelConnectionRow.id))).all()

    async def one(self, connection_id: UUID, *, lock: bool = False) -> ModelConnectionRow | None:
        """One of them, held until the transaction ends when `lock` says so."""
        query = select(ModelConnectionRow).where(
            ModelConnectionRow.org_id == self._org_id, ModelConnectionRow.id == connection_id
        )
        return await self._session.scalar(query.with_for_update() if lock else query)

    async def delete(self, row: ModelConnectionRow) -> None:
        """Take a connection away."""
        await self._session.delete(row)
        await self._session.flush()

    async def choose(self, connection_id: UUID | None) -> None:
        """Let one be the chosen one, or none. Two choices at once come one after the other."""
        owned = ModelConnectionRow.org_id == self._org_id
        held = select(ModelConnectionRow.id).where(owned).order_by(ModelConnectionRow.id)
        await self._session.execute(held.with_for_update())
        # Not one statement: the unique index looks at each row as it is written.
        chosen = ModelConnectionRow.chosen
        await self._session.execute(update(ModelConnectionRow).where(owned, chosen).values(chosen=False))
        if connection_id:
            wanted = ModelConnectionRow.id == connection_id
            await self._session.execute(update(ModelConnectionRow).where(owned, wanted).values(chosen=True))

    async def write_test(self, connection_id: UUID, as_of: datetime, test: JsonObject) -> None:
        """Write what a test found, unless the connection was changed since it was read."""
        await self._session.execute(
            update(ModelConnectionRow)
            .where(
                ModelConnectionRow.org_id == self._org_id,
                ModelConnectionRow.id == connection_id,
                ModelConnectionRow.updated_at == as_of,
            )
            .values(test=test)
        )
