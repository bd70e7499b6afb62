"""Numbered events from PostgreSQL, for whoever missed them."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.core.db import Database
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.streams.envelope import Envelope, numbered
from raptorflow.orchestrator.streams.repository import EventsRepository


class JournaledEvents:
    """Reads what the journal has."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events_after(self, ref: RunRef, after: int) -> list[Envelope]:
        """A run's events with a greater number, in order."""
        async with self._database.session(ref.org_id) as session:
            rows = await EventsRepository(session).after(ref.org_id, ref.run_id, after)
        return [numbered(ref, seq, event_type, payload) for seq, event_type, payload in rows]

    async def newest_numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The newest number of each run."""
        async with self._database.system_session() as session:
            return await EventsRepository(session).newest(run_ids)
