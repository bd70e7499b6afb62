"""Conversations and their transcripts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from raptorflow.orchestrator.context.entries import Entry
from raptorflow.orchestrator.models import Message, Run, Session, is_live
from raptorflow.orchestrator.repository import OwnedRepository

CHAT, TRIAL = "chat", "trial"


class SessionsRepository(OwnedRepository):
    """The queries."""

    async def chats(self, limit: int, before: UUID | None) -> Sequence[Session]:
        """The user's conversations, newest first, older than `before`; trials are not among them."""
        query = select(Session).where(Session.kind == CHAT, *self._own(Session))
        if before:
            query = query.where(Session.id < before)
        return (await self._session.scalars(query.order_by(Session.id.desc()).limit(limit))).all()

    async def begin(self, row: Session) -> None:
        """Store a new session at once, so that rows may belong to it."""
        self._session.add(row)
        await self._session.flush()

    async def session(self, session_id: UUID) -> Session | None:
        """One session."""
        query = select(Session).where(Session.id == session_id, *self._own(Session))
        return await self._session.scalar(query)

    async def rename(self, session_id: UUID, title: str) -> Session | None:
        """Give a session another title."""
        query = update(Session).where(Session.id == session_id, *self._own(Session))
        return await self._session.scalar(query.values(title=title).returning(Session))

    async def transcript(self, session_id: UUID) -> list[tuple[UUID, Entry]]:
        """A session's entries in order, each with its run; without turns that were superseded."""
        query = (
            select(Message.run_id, Message.turn, Message.position, Message.role, Message.content)
            .join(Session, Session.id == Message.session_id)
            .where(Session.id == session_id, *self._own(Session), is_live(Message.turn))
            .order_by(Message.turn, Message.position)
        )
        rows: Sequence[Any] = (await self._session.execute(query)).all()
        return [(row[0], Entry(row[1], row[2], row[3], row[4])) for row in rows]

    async def lock_runs(self, session_id: UUID) -> Sequence[Run]:
        """A session's runs, held until the transaction ends; waits for workers that are committing."""
        query = select(Run).where(Run.session_id == session_id, *self._own(Run))
        return (await self._session.scalars(query.order_by(Run.id).with_for_update())).all()

    async def lock(self, session_id: UUID) -> bool:
        """Hold a session's row, so that no message is accepted; whether there is one."""
        query = select(Session.id).where(Session.id == session_id, *self._own(Session))
        return await self._session.scalar(query.with_for_update()) is not None

    async def run_ids(self, session_id: UUID) -> set[UUID]:
        """The ids of a session's runs."""
        query = select(Run.id).where(Run.session_id == session_id, *self._own(Run))
        return set((await self._session.scalars(query)).all())

    async def delete(self, session_id: UUID) -> None:
        """Remove a session with everything in it."""
        await self._session.execute(delete(Session).where(Session.id == session_id, *self._own(Session)))
