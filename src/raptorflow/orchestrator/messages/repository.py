"""Accepting messages: turns get their numbers under the lock of their session's row.

Locks are taken in two orders. A worker's commit has its run's row and then waits for the session's; so
whoever has the session's row never waits for a run's row. That is why a retry writes what it replaced into
the session's row, and ends only those runs that nobody else is at (`skip locked`): a worker that has one
learns of it from the session's row at its next commit or heartbeat, and at once by a call through Valkey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.events import NewEvent, RunRef
from raptorflow.orchestrator.models import Message, Run
from raptorflow.orchestrator.repository import OPEN, OwnedRepository
from raptorflow.orchestrator.streams.news import EndedRun

_NEXT_TURN = text("""
update sessions
set turns = turns + 1, updated_at = clock_timestamp(), title = case when title = '' then :title else title end
where id = :session_id and org_id = :org_id and user_id = :user_id and kind = 'chat'
returning turns
""")

_ACCEPT = text("""
with run as (
    insert into runs (id, org_id, session_id, user_id, turn, idempotency_key, status, usage, attempt,
                      last_seq, cancel_requested, replaces)
    values (:run_id, :org_id, :session_id, :user_id, :turn, :key, 'queued', '{}', 0, 0, false, :replaces)
    returning id, session_id, turn)
insert into messages (run_id, position, org_id, session_id, turn, role, content)
select r.id, 0, :org_id, r.session_id, r.turn, 'user', cast(:content as jsonb) from run r
""")

# The session's state goes back to what the replaced run found, or the first taken one after it when it was
# never taken itself: until then nothing has changed the state.
_SUPERSEDE = text("""
with replaced as (
    select turn from runs where id = :replaces and session_id = :session_id and user_id = :user_id)
update sessions s
set superseded = s.superseded + int4multirange(int4range(p.turn, :turn)),
    state = coalesce((
        select q.state from runs q
        where q.session_id = s.id and q.turn >= p.turn and q.state is not null
        order by q.turn limit 1), s.state)
from replaced p where s.id = :session_id
returning p.turn
""")

# A file stays when a message that counts has it, or a run that counts made it.
_DETACH = text("""
delete from session_files a using sessions s, files f
where a.session_id = :session_id and s.id = a.session_id and f.id = a.file_id
  and not exists (
      select from messages m
      where m.session_id = s.id and m.position = 0 and not s.superseded @> m.turn
        and m.content -> 'files' @> jsonb_build_array(jsonb_build_object('id', cast(f.id as text))))
  and not exists (
      select from runs r where r.id = f.run_id and r.session_id = s.id and not s.superseded @> r.turn)
""")

_END_SUPERSEDED = text("""
with waiting as (
    select id from runs
    where session_id = :session_id and turn >= :first and turn < :turn and status = 'queued'
    order by id for update skip locked),
ended as (
    update runs r set status = 'cancelled', cancel_requested = true, finished_at = clock_timestamp(),
        last_seq = r.last_seq + 1
    from waiting w where w.id = r.id
    returning r.id, r.org_id, r.session_id, r.last_seq),
event as (
    insert into run_events (run_id, seq, org_id, type, payload)
    select id, last_seq, org_id, :type, cast(:payload as jsonb) from ended)
select id, session_id, org_id, last_seq from ended
""")


@dataclass(frozen=True)
class NewRun:
    """A message that is to be answered."""

    ref: RunRef
    turn: int
    key: str
    content: JsonObject
    replaces: UUID | None = None


class MessagesRepository(OwnedRepository):
    """The queries; but for `accept` of a new session's first run they need the lock of `next_turn`."""

    async def next_turn(self, session_id: UUID, title: str) -> int | None:
        """Lock a chat and take its next number; None when there is no such chat of the user's."""
        return await self._session.scalar(_NEXT_TURN, self._ids(session_id=session_id, title=title))

    async def run_by_key(self, session_id: UUID, key: str) -> tuple[Run, JsonObject] | None:
        """The run that was accepted under a key, and its message."""
        query = (
            select(Run, Message.content)
            .join(Message, (Message.run_id == Run.id) & (Message.position == 0))
            .where(Run.session_id == session_id, Run.idempotency_key == key, *self._own(Run))
        )
        row = (await self._session.execute(query)).one_or_none()
        return (row[0], row[1]) if row else None

    async def accept(self, run: NewRun) -> None:
        """Add a message and its run to a session."""
        values = self._ids(
            run_id=run.ref.run_id,
            session_id=run.ref.session_id,
            turn=run.turn,
            key=run.key,
            content=dumps(run.content),
            replaces=run.replaces,
        )
        await self._session.execute(_ACCEPT, values)

    async def supersede(self, session_id: UUID, replaces: UUID, turn: int) -> int | None:
        """Take a run and all later ones below `turn` out of the conversation.

        Returns:
            The run's own turn; None when the session has no such run.
        """
        values = self._ids(session_id=session_id, replaces=replaces, turn=turn)
        first = await self._session.scalar(_SUPERSEDE, values)
        if first is not None:
            await self._session.execute(_DETACH, {"session_id": session_id})
        return first

    async def end_waiting(self, session_id: UUID, first: int, turn: int, event: NewEvent) -> list[EndedRun]:
        """End the runs from `first` to below `turn` that no worker has."""
        values = {
            "session_id": session_id,
            "first": first,
            "turn": turn,
            "type": event.type,
            "payload": dumps(event.payload),
        }
        rows = await self._session.execute(_END_SUPERSEDED, values)
        return [EndedRun(RunRef(row[0], row[1], row[2]), row[3]) for row in rows.all()]

    async def open_between(self, session_id: UUID, first: int, turn: int) -> Sequence[UUID]:
        """The runs from `first` to below `turn` that have not ended."""
        query = select(Run.id).where(
            Run.session_id == session_id,
            Run.turn >= first,
            Run.turn < turn,
            Run.status.in_(OPEN),
            *self._own(Run),
        )
        return (await self._session.scalars(query)).all()
