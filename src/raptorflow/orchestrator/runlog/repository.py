"""Runs as their user sees them: one, a session's, and all, with what they were asked and what they ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, update

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.context.entries import Entry
from raptorflow.orchestrator.events import NewEvent
from raptorflow.orchestrator.models import Message, Run, RunEvent, RunStep, Session, is_live, is_superseded
from raptorflow.orchestrator.repository import OPEN, OwnedRepository

QUESTION_LENGTH = 200

_END_QUEUED = text("""
with ended as (
    update runs set status = 'cancelled', cancel_requested = true, finished_at = clock_timestamp(),
        last_seq = last_seq + 1
    where id = :run_id and org_id = :org_id and user_id = :user_id and status = 'queued'
    returning id, org_id, last_seq)
insert into run_events (run_id, seq, org_id, type, payload)
select id, last_seq, org_id, :type, cast(:payload as jsonb) from ended
returning seq
""")


@dataclass(frozen=True)
class Asked:
    """A run and what it is about."""

    run: Run
    kind: str
    session_title: str
    superseded: bool
    question: str


@dataclass(frozen=True)
class Wanted:
    """Which runs a list is to have."""

    before: UUID | None = None
    status: str | None = None
    session_id: UUID | None = None


class RunLogRepository(OwnedRepository):
    """The queries."""

    async def run(self, run_id: UUID) -> Run | None:
        """One run."""
        return await self._session.scalar(select(Run).where(Run.id == run_id, *self._own(Run)))

    async def newest_run(self, session_id: UUID) -> Run | None:
        """A session's newest run that was not superseded."""
        return await self._session.scalar(self._live(session_id).order_by(Run.turn.desc()).limit(1))

    async def open_runs(self, session_id: UUID) -> Sequence[Run]:
        """A session's runs that have not ended, in their order, without superseded ones."""
        query = self._live(session_id).where(Run.status.in_(OPEN))
        return (await self._session.scalars(query.order_by(Run.turn))).all()

    async def turns(self, session_id: UUID, limit: int, before: int | None) -> list[tuple[Run, Entry]]:
        """The newest runs below a turn with their messages, newest first, without superseded ones."""
        query = self._live(session_id).add_columns(Message.content)
        query = query.join(Message, (Message.run_id == Run.id) & (Message.position == 0))
        if before is not None:
            query = query.where(Run.turn < before)
        rows = await self._session.execute(query.order_by(Run.turn.desc()).limit(limit))
        return [(row[0], Entry(row[0].turn, 0, "user", row[1])) for row in rows.all()]

    async def events(self, run_ids: Sequence[UUID]) -> list[tuple[UUID, int, str, JsonObject]]:
        """The numbered events of the user's runs, each run's in order."""
        query = (
            select(RunEvent.run_id, RunEvent.seq, RunEvent.type, RunEvent.payload)
            .where(RunEvent.run_id.in_(run_ids), RunEvent.org_id == self._owner.org_id)
            .order_by(RunEvent.run_id, RunEvent.seq)
        )
        return [(row[0], row[1], row[2], row[3]) for row in (await self._session.execute(query)).all()]

    async def asked(self, run_id: UUID) -> Asked | None:
        """One run and what it is about."""
        row = (await self._session.execute(self._asked().where(Run.id == run_id))).one_or_none()
        return Asked(*row) if row else None

    async def newest(self, wanted: Wanted, limit: int) -> list[Asked]:
        """The user's runs, newest first, superseded ones and trials included."""
        query = self._asked()
        if wanted.before:
            query = query.where(Run.id < wanted.before)
        if wanted.status:
            query = query.where(Run.status == wanted.status)
        if wanted.session_id:
            query = query.where(Run.session_id == wanted.session_id)
        rows = await self._session.execute(query.order_by(Run.id.desc()).limit(limit))
        return [Asked(*row) for row in rows.all()]

    async def steps(self, run_id: UUID) -> Sequence[RunStep]:
        """A run's steps in order."""
        query = select(RunStep).where(RunStep.run_id == run_id, RunStep.org_id == self._owner.org_id)
        return (await self._session.scalars(query.order_by(RunStep.index))).all()

    async def skills_run(self, run_ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
        """Whose actions each run ran, in the order of first use; only an action's outcome names one."""
        skill = RunStep.output["skill"].astext
        query = (
            select(RunStep.run_id, skill)
            .where(RunStep.run_id.in_(run_ids), RunStep.org_id == self._owner.org_id)
            .where(RunStep.output.has_key("action"), skill.is_not(None))
            .group_by(RunStep.run_id, skill)
            .order_by(RunStep.run_id, func.min(RunStep.index))
        )
        return [(row[0], row[1]) for row in (await self._session.execute(query)).all()]

    async def end_queued(self, run_id: UUID, event: NewEvent) -> int | None:
        """End a run that no worker has taken; the number of its last event, None when one has."""
        values = self._ids(run_id=run_id, type=event.type, payload=dumps(event.payload))
        return await self._session.scalar(_END_QUEUED, values)

    async def request_cancel(self, run_id: UUID) -> None:
        """Ask the run's worker to end it."""
        query = update(Run).where(Run.id == run_id, Run.status.in_(OPEN), *self._own(Run))
        await self._session.execute(query.values(cancel_requested=True))

    def _live(self, session_id: UUID) -> Select[Any]:
        query = select(Run).join(Session, Session.id == Run.session_id)
        return query.where(Run.session_id == session_id, *self._own(Run), is_live(Run.turn))

    def _asked(self) -> Select[Run, str, str, bool, Any]:
        question = func.left(Message.content["text"].astext, QUESTION_LENGTH)
        return (
            select(Run, Session.kind, Session.title, is_superseded(Run.turn), question)
            .join(Session, Session.id == Run.session_id)
            .join(Message, (Message.run_id == Run.id) & (Message.position == 0))
            .where(*self._own(Run))
        )
