"""The outbox: news, written in the transaction of the rows it tells about and delivered afterwards.

A handler runs in the transaction that marks its event as delivered, so its effect happens exactly once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.core.wakeup import Wakeup, notify

log = logger(__name__)

CHANNEL = "raptorflow_outbox"
POLL_SECONDS = 5.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 300.0
LONGEST_RETRY_AFTER = 10
"""Attempts after which the pause grows no more."""


class OutboxRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """One piece of news."""

    __tablename__ = "outbox"

    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True)
class Event:
    """News as a subscriber gets it."""

    id: UUID
    org_id: UUID
    name: str
    payload: JsonObject
    created_at: datetime


Subscriber = Callable[[AsyncSession, Event], Awaitable[None]]


async def emit(session: AsyncSession, *, org_id: UUID, name: str, payload: JsonObject) -> None:
    """Add news to the caller's transaction."""
    session.add(OutboxRow(org_id=org_id, name=name, payload=payload))
    await notify(session, CHANNEL)
    await session.flush()


class OutboxRelay:
    """Delivers news to subscribers, in a worker.

    Args:
        database: where the outbox is.
        url: the same database's URL, for wake-up calls.
    """

    def __init__(self, database: Database, url: str) -> None:
        self._database = database
        self._subscribers: dict[str, list[Subscriber]] = {}
        self._wakeup = Wakeup(url, CHANNEL)
        self._tasks: list[asyncio.Task[None]] = []

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        """Call `subscriber` with each event of a name; all of a name's subscribers succeed together."""
        self._subscribers.setdefault(name, []).append(subscriber)

    async def start(self) -> None:
        """Deliver in the background."""
        self._tasks = [asyncio.create_task(self._wakeup.listen()), asyncio.create_task(self._deliver_all())]

    async def stop(self) -> None:
        """Deliver no more; what was not marked is delivered by the next worker."""
        await end_tasks(self._tasks)
        self._tasks.clear()

    async def _deliver_all(self) -> None:
        while True:
            again_in = POLL_SECONDS
            try:
                while await self._deliver_one():
                    pass
                again_in = await self._next_due_in()
            except Exception as error:
                # The database may be away: the relay outlives that.
                log.error("news could not be delivered", exc_info=error)
            await self._wakeup.wait(again_in)

    async def _deliver_one(self) -> bool:
        """Deliver the oldest event that is due; False when there is none."""
        async with self._database.system_session() as session:
            row = await _oldest_due(session)
            if row is None:
                return False
            await self._hand_out(session, row)
        return True

    async def _hand_out(self, session: AsyncSession, row: OutboxRow) -> None:
        event = Event(row.id, row.org_id, row.name, row.payload, row.created_at)
        try:
            async with session.begin_nested():
                for subscriber in self._subscribers.get(row.name, []):
                    await subscriber(session, event)
        except Exception as error:
            pause = FIRST_RETRY_SECONDS * 2 ** min(row.attempts, LONGEST_RETRY_AFTER)
            pause = min(pause, LONGEST_RETRY_SECONDS)
            log.warning(
                "event not delivered",
                event_name=event.name,
                event_id=str(event.id),
                again_in=pause,
                exc_info=error,
            )
            row.attempts += 1
            row.due_at = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause)
        else:
            row.delivered_at = func.now()

    async def _next_due_in(self) -> float:
        """Seconds until an event is due again, or until it is time to look anyway."""
        async with self._database.system_session() as session:
            waiting = select(func.extract("epoch", func.min(OutboxRow.due_at) - func.now()))
            seconds = await session.scalar(waiting.where(OutboxRow.delivered_at.is_(None)))
        return POLL_SECONDS if seconds is None else min(max(float(seconds), 0.0), POLL_SECONDS)


async def _oldest_due(session: AsyncSession) -> OutboxRow | None:
    return await session.scalar(
        select(OutboxRow)
        .where(OutboxRow.delivered_at.is_(None), OutboxRow.due_at <= func.now())
        .order_by(OutboxRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
