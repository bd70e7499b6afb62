"""Numbered events of runs whose watchers were let in before."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.models import Run, RunEvent


class EventsRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def after(self, org_id: UUID, run_id: UUID, number: int) -> list[tuple[int, str, JsonObject]]:
        """A run's events with a greater number, in order."""
        query = (
            select(RunEvent.seq, RunEvent.type, RunEvent.payload)
            .where(RunEvent.run_id == run_id, RunEvent.org_id == org_id, RunEvent.seq > number)
            .order_by(RunEvent.seq)
        )
        return [(row[0], row[1], row[2]) for row in (await self._session.execute(query)).all()]

    async def newest(self, run_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The newest number of each run."""
        query = select(Run.id, Run.last_seq).where(Run.id.in_(run_ids))
        return {row[0]: row[1] for row in (await self._session.execute(query)).all()}
