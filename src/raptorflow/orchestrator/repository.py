"""Every query of the web process. A session, its runs and its files are their user's alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.context.entries import Entry
from raptorflow.orchestrator.models import File, Message, Run, RunEvent, RunStep, Session, SessionFile

OPEN = ("queued", "running")

# The session's row is locked first, so that turns get their numbers in the order of commits. A second
# statement then sees what was committed before the lock was had: a known key is found without waiting for the
# row of its run, which a worker may be updating (waiting for both in this order could deadlock).
_NEXT_TURN = text("""
update sessions
set turns = turns + 1, updated_at = clock_timestamp(), title = case when title = '' then :title else title end
where id = :session_id and org_id = :org_id and user_id = :user_id
returning turns
""")

_ACCEPT = text("""
with run as (
    insert into runs (id, org_id, session_id, user_id, turn, idempotency_key, status, usage, attempt,
                      last_seq, cancel_requested)
    select :run_id, :org_id, :session_id, :user_id, :turn, :key, 'queued', '{}', 0, 0, false
    where not exists (select from runs where session_id = :session_id and idempotency_key = :key)
    returning id, session_id, turn)
insert into messages (run_id, position, org_id, session_id, turn, role, content)
select r.id, 0, :org_id, r.session_id, r.turn, 'user', cast(:content as jsonb) from run r
returning run_id
""")

_END_QUEUED = text("""
with ended as (
    update runs set status = 'cancelled', cancel_requested = true, finished_at = clock_timestamp(),
        last_seq = last_seq + 1
    where id = :run_id and user_id = :user_id and status = 'queued'
    returning id, org_id, last_seq)
insert into run_events (run_id, seq, org_id, type, payload)
select id, last_seq, org_id, :type, cast(:payload as jsonb) from ended
returning seq
""")


@dataclass(frozen=True)
class Owner:
    """Whose rows a query is about."""

    org_id: UUID
    user_id: UUID


@dataclass(frozen=True)
class Acceptance:
    """What became of a message: whether the session is the user's, and whether the key was new."""

    owned: bool
    accepted: bool


class OrchestratorRepository:
    """The queries, over one transaction, for one user of one organisation."""

    def __init__(self, session: AsyncSession, owner: Owner) -> None:
        self._session = session
        self._owner = owner

    def add(self, row: Session | File) -> None:
        """Store a new row."""
        self._session.add(row)

    async def sessions(self, limit: int, before: UUID | None) -> Sequence[Session]:
        """The user's sessions, newest first, older than `before`."""
        query = select(Session).where(*self._own(Session)).order_by(Session.id.desc()).limit(limit)
        if before:
            query = query.where(Session.id < before)
        return (await self._session.scalars(query)).all()

    async def session(self, session_id: UUID) -> Session | None:
        """One session."""
        return await self._session.scalar(
            select(Session).where(Session.id == session_id, *self._own(Session))
        )

    async def accept(
        self, session_id: UUID, run_id: UUID, key: str, content: JsonObject, title: str
    ) -> Acceptance:
        """Add a message and its run to a session."""
        owner = {"org_id": self._owner.org_id, "user_id": self._owner.user_id, "session_id": session_id}
        turn = await self._session.scalar(_NEXT_TURN, {**owner, "title": title})
        if turn is None:
            return Acceptance(owned=False, accepted=False)
        values = {**owner, "run_id": run_id, "turn": turn, "key": key, "content": dumps(content)}
        accepted = await self._session.scalar(_ACCEPT, values)
        return Acceptance(owned=True, accepted=accepted is not None)

    async def run(self, run_id: UUID) -> Run | None:
        """One run."""
        return await self._session.scalar(select(Run).where(Run.id == run_id, *self._own(Run)))

    async def run_by_key(self, session_id: UUID, key: str) -> tuple[Run, JsonObject] | None:
        """The run that was accepted under a key, and its message."""
        query = (
            select(Run, Message.content)
            .join(Message, (Message.run_id == Run.id) & (Message.position == 0))
            .where(Run.session_id == session_id, Run.idempotency_key == key, *self._own(Run))
        )
        row = (await self._session.execute(query)).one_or_none()
        return (row[0], row[1]) if row else None

    async def newest_run(self, session_id: UUID) -> Run | None:
        """A session's newest run."""
        query = select(Run).where(Run.session_id == session_id, *self._own(Run))
        return await self._session.scalar(query.order_by(Run.turn.desc()).limit(1))

    async def open_runs(self, session_id: UUID) -> Sequence[Run]:
        """A session's runs that have not ended, in their order."""
        query = select(Run).where(Run.session_id == session_id, Run.status.in_(OPEN), *self._own(Run))
        return (await self._session.scalars(query.order_by(Run.turn))).all()

    async def end_queued(self, run_id: UUID, event_type: str, payload: JsonObject) -> int | None:
        """End a run that no worker has taken; the number of its last event, None when one has."""
        values = {
            "run_id": run_id,
            "user_id": self._owner.user_id,
            "type": event_type,
            "payload": dumps(payload),
        }
        return await self._session.scalar(_END_QUEUED, values)

    async def request_cancel(self, run_id: UUID) -> None:
        """Ask the run's worker to end it."""
        query = update(Run).where(Run.id == run_id, Run.status.in_(OPEN), *self._own(Run))
        await self._session.execute(query.values(cancel_requested=True))

    async def steps(self, run_id: UUID) -> Sequence[RunStep]:
        """A run's steps in order."""
        query = select(RunStep).where(RunStep.run_id == run_id, RunStep.org_id == self._owner.org_id)
        return (await self._session.scalars(query.order_by(RunStep.index))).all()

    async def transcript(self, session_id: UUID) -> list[tuple[UUID, Entry]]:
        """A session's entries in order, each with its run."""
        query = (
            select(Message.run_id, Message.turn, Message.position, Message.role, Message.content)
            .where(Message.session_id == session_id, Message.org_id == self._owner.org_id)
            .order_by(Message.turn, Message.position)
        )
        rows: Sequence[Any] = (await self._session.execute(query)).all()
        return [(row[0], Entry(row[1], row[2], row[3], row[4])) for row in rows]

    async def file(self, file_id: UUID) -> File | None:
        """One file."""
        return await self._session.scalar(select(File).where(File.id == file_id, *self._own(File)))

    async def files(self, file_ids: Sequence[UUID]) -> Sequence[File]:
        """Those of the files that are the user's."""
        return (
            await self._session.scalars(select(File).where(File.id.in_(file_ids), *self._own(File)))
        ).all()

    async def session_files(self, session_id: UUID) -> list[tuple[File, str]]:
        """A session's files, each with its name there."""
        query = (
            select(File, SessionFile.name)
            .join(SessionFile, SessionFile.file_id == File.id)
            .where(SessionFile.session_id == session_id, SessionFile.org_id == self._owner.org_id)
            .order_by(File.id)
        )
        return [(row[0], row[1]) for row in (await self._session.execute(query)).all()]

    async def attach(self, session_id: UUID, names: dict[UUID, str]) -> None:
        """Put files into a session."""
        rows = [
            {"session_id": session_id, "file_id": file_id, "name": name, "org_id": self._owner.org_id}
            for file_id, name in names.items()
        ]
        await self._session.execute(insert(SessionFile).on_conflict_do_nothing(), rows)

    def _own(self, table: type[Session] | type[Run] | type[File]) -> tuple[Any, Any]:
        return table.org_id == self._owner.org_id, table.user_id == self._owner.user_id


class EventsRepository:
    """Numbered events of runs whose watchers were let in before."""

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
