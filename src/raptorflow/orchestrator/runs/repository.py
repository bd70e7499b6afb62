"""Every query of a worker. They run in a system session: a worker serves all organisations.

A commit is one statement for many runs: `jsonb_to_recordset` unfolds what is to be written, and the first
CTE lets through only runs whose lease this worker still holds, so that a worker that was thought dead and
comes back writes nothing.

What a retry superseded writes nothing into its session: the session's row, which a retry holds while it is
accepted, is updated only while it does not count the run's turn among the superseded, and artefacts become
the session's only with that update.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.context.entries import Entry, without_nul
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.runs.records import (
    Boundary,
    Committed,
    SessionFileRef,
    StepRecord,
    TakenRun,
)

_NUL = "\\u0000"
"""What jsonb cannot hold; what a model or a skill writes is cleaned before, this is for the rest."""

_TAKE = text("""
with candidate as (
    select r.id, s.kind, s.state from runs r join sessions s on s.id = r.session_id
    where (r.status = 'queued' or (r.status = 'running' and r.lease_until < clock_timestamp()))
      and not exists (
          select from runs o
          where o.session_id = r.session_id and o.turn < r.turn and o.status in ('queued', 'running'))
    order by r.id limit :limit
    for update of r skip locked)
update runs r
set status = 'running', attempt = r.attempt + 1, lease_owner = :owner,
    state = coalesce(r.state, c.state),
    lease_until = clock_timestamp() + cast(:lease as interval),
    started_at = coalesce(r.started_at, clock_timestamp())
from candidate c where c.id = r.id
returning r.id
""")

_LOAD = text("""
select r.id, r.org_id, r.user_id, r.session_id, r.turn, r.replaces, r.attempt, r.last_seq,
    r.cancel_requested or s.superseded @> r.turn as cancel_requested,
    r.usage::text as usage, s.kind, s.state::text as state,
    (select jsonb_agg(jsonb_build_array(m.turn, m.position, m.role, m.content) order by m.turn, m.position)
     from messages m
     where m.session_id = r.session_id and m.turn between history.first and r.turn
       and (m.turn = r.turn or not s.superseded @> m.turn))::text as entries,
    (select jsonb_agg(jsonb_build_array(t.index, t.kind, t.name, t.status) order by t.index)
     from run_steps t where t.run_id = r.id)::text as steps,
    (select jsonb_agg(jsonb_build_array(f.id, sf.name, f.size, f.sha256, f.media_type, f.blob_key)
                      order by f.id)
     from session_files sf join files f on f.id = sf.file_id
     where sf.session_id = r.session_id)::text as files,
    c.id as connection_id, c.provider, c.model, c.base_url, c.sealed_key, c.updated_at
from runs r join sessions s on s.id = r.session_id
left join model_connections c on c.org_id = r.org_id and c.chosen
cross join lateral (
    select coalesce(min(h.turn), r.turn) as first from (
        select e.turn from runs e
        where e.session_id = r.session_id and e.turn < r.turn and not s.superseded @> e.turn
        order by e.turn desc limit :history) h) history
where r.id = any(:ids)
order by r.id
""")

_COMMIT = text("""
with data as materialized (select cast(:data as jsonb) as d),
held as (
    update runs r
    set last_seq = b.last_seq, usage = coalesce(b.usage, r.usage), error = b.error,
        status = coalesce(b.status, r.status), model = coalesce(b.model, r.model),
        lease_owner = case when b.status is null then r.lease_owner end,
        lease_until = case when b.status is null then r.lease_until end,
        finished_at = case when b.status is null then null else clock_timestamp() end
    from data, jsonb_to_recordset(d -> 'runs') as b(
        run_id uuid, attempt int, before int, last_seq int, status text, usage jsonb, error jsonb,
        state jsonb, model text, of_session boolean)
    where r.id = b.run_id and r.status = 'running' and r.lease_owner = :owner
      and r.attempt = b.attempt and r.last_seq = b.before
    returning r.id, r.org_id, r.user_id, r.session_id, r.turn, r.attempt, r.status, r.cancel_requested,
        b.state, b.of_session),
touched as (
    update sessions s set state = coalesce(h.state, s.state), updated_at = clock_timestamp()
    from held h where s.id = h.session_id and h.of_session and not s.superseded @> h.turn
    returning h.id as run_id),
message as (
    insert into messages (run_id, position, org_id, session_id, turn, role, content)
    select h.id, m.position, h.org_id, h.session_id, h.turn, m.role, m.content
    from data, jsonb_to_recordset(d -> 'messages') as m(run_id uuid, position int, role text, content jsonb)
    join held h on h.id = m.run_id),
finished as (
    update run_steps t
    set status = f.status, output = f.output, timings = f.timings, finished_at = clock_timestamp()
    from data, jsonb_to_recordset(d -> 'finished') as f(
        run_id uuid, index int, status text, output jsonb, timings jsonb)
    join held h on h.id = f.run_id
    where t.run_id = f.run_id and t.index = f.index),
started as (
    insert into run_steps (run_id, index, org_id, kind, name, input, status, attempt, timings, started_at)
    select h.id, n.index, h.org_id, n.kind, n.name, n.input, 'started', h.attempt, '{}', clock_timestamp()
    from data, jsonb_to_recordset(d -> 'started') as n(
        run_id uuid, index int, kind text, name text, input jsonb)
    join held h on h.id = n.run_id
    on conflict (run_id, index) do update set attempt = excluded.attempt, started_at = excluded.started_at),
event as (
    insert into run_events (run_id, seq, org_id, type, payload)
    select h.id, e.seq, h.org_id, e.type, e.payload
    from data, jsonb_to_recordset(d -> 'events') as e(run_id uuid, seq int, type text, payload jsonb)
    join held h on h.id = e.run_id),
file as (
    insert into files (id, org_id, user_id, run_id, name, size, sha256, media_type, blob_key)
    select f.id, h.org_id, h.user_id, h.id, f.name, f.size, f.sha256, f.media_type, f.blob_key
    from data, jsonb_to_recordset(d -> 'files') as f(
        run_id uuid, id uuid, name text, size bigint, sha256 text, media_type text, blob_key text)
    join held h on h.id = f.run_id
    returning id, org_id, run_id, name),
session_file as (
    insert into session_files (session_id, file_id, org_id, name)
    select h.session_id, f.id, f.org_id, f.name
    from file f join held h on h.id = f.run_id join touched t on t.run_id = f.run_id
    on conflict (session_id, name) do nothing)
select h.id, h.cancel_requested or s.superseded @> h.turn as cancel_requested,
    h.status <> 'running' and exists (
        select from runs n where n.session_id = h.session_id and n.status = 'queued') as more_waiting
from held h join sessions s on s.id = h.session_id
""")

_HEARTBEAT = text("""
update runs r set lease_until = clock_timestamp() + cast(:lease as interval)
from sessions s
where s.id = r.session_id and r.id = any(:ids) and r.lease_owner = :owner and r.status = 'running'
returning r.id, r.cancel_requested or s.superseded @> r.turn as cancel_requested
""")

_RELEASE = text("""
update runs set status = 'queued', lease_owner = null, lease_until = null
where id = any(:ids) and lease_owner = :owner and status = 'running'
returning id
""")


class RunsRepository:
    """The queries, over one transaction, for one worker.

    Args:
        session: the transaction.
        owner: the worker's name, unique to its process.
    """

    def __init__(self, session: AsyncSession, owner: str) -> None:
        self._session = session
        self._owner = owner

    async def take(self, limit: int, lease_seconds: float, history_turns: int) -> list[TakenRun]:
        """Take up to `limit` runs that wait or whose lease ran out, a session's runs one after the other."""
        lease = timedelta(seconds=lease_seconds)
        wanted = {"limit": limit, "owner": self._owner, "lease": lease}
        ids = (await self._session.execute(_TAKE, wanted)).scalars().all()
        if not ids:
            return []
        rows = await self._session.execute(_LOAD, {"ids": list(ids), "history": history_turns})
        return [_taken(row) for row in rows.all()]

    async def commit(self, boundaries: Sequence[Boundary]) -> dict[UUID, Committed]:
        """Write boundaries; a run that is missing from the answer is another worker's now."""
        data = dumps(_data(boundaries))
        if _NUL in data:
            data = dumps(without_nul(_data(boundaries)))
        result = await self._session.execute(_COMMIT, {"data": data, "owner": self._owner})
        return {run_id: Committed(cancel, more) for run_id, cancel, more in result.all()}

    async def heartbeat(self, ids: Sequence[UUID], lease_seconds: float) -> dict[UUID, bool]:
        """Prolong leases; the runs still held, each with whether it is to be cancelled."""
        lease = timedelta(seconds=lease_seconds)
        values = {"ids": list(ids), "owner": self._owner, "lease": lease}
        result = await self._session.execute(_HEARTBEAT, values)
        return {run_id: cancel for run_id, cancel in result.all()}

    async def release(self, ids: Sequence[UUID]) -> list[UUID]:
        """Give runs back, for any worker to go on with."""
        result = await self._session.execute(_RELEASE, {"ids": list(ids), "owner": self._owner})
        return list(result.scalars().all())


def _taken(row: Any) -> TakenRun:
    entries = [Entry(*entry) for entry in loads(row.entries or "[]")]
    return TakenRun(
        ref=RunRef(row.id, row.session_id, row.org_id),
        user_id=row.user_id,
        kind=row.kind,
        turn=row.turn,
        replaces=row.replaces,
        attempt=row.attempt,
        last_seq=row.last_seq,
        cancel_requested=row.cancel_requested,
        usage=loads(row.usage),
        state=loads(row.state),
        history=[entry for entry in entries if entry.turn < row.turn],
        turn_entries=[entry for entry in entries if entry.turn == row.turn],
        steps=[StepRecord(*step) for step in loads(row.steps or "[]")],
        files=[SessionFileRef(UUID(file[0]), *file[1:]) for file in loads(row.files or "[]")],
        connection=_connection(row),
    )


def _connection(row: Any) -> ConnectedModel | None:
    if row.connection_id is None:
        return None
    return ConnectedModel(
        id=row.connection_id,
        org_id=row.org_id,
        provider=row.provider,
        model=row.model,
        base_url=row.base_url,
        sealed_key=row.sealed_key,
        updated_at=row.updated_at,
    )


def _data(boundaries: Sequence[Boundary]) -> JsonObject:
    data: dict[str, list[JsonObject]] = {
        name: [] for name in ("runs", "messages", "finished", "started", "events", "files")
    }
    for boundary in boundaries:
        _add(boundary, data)
    return data


def _add(boundary: Boundary, data: dict[str, list[JsonObject]]) -> None:
    key: JsonObject = {"run_id": boundary.run.ref.run_id}
    ending = boundary.ending
    run: JsonObject = {
        **key,
        "attempt": boundary.run.attempt,
        "before": boundary.first_seq - 1,
        "last_seq": boundary.last_seq,
        "state": boundary.state,
        "model": boundary.model,
        "of_session": bool(boundary.state is not None or boundary.files or ending),
    }
    data["runs"].append(run | (vars(ending) if ending else {}))
    data["messages"] += [{**key, **vars(message)} for message in boundary.messages]
    data["events"] += [
        {**key, "seq": boundary.first_seq + place, "type": event.type, "payload": event.payload}
        for place, event in enumerate(boundary.events)
    ]
    data["files"] += [{**key, **vars(file), "id": file.file_id} for file in boundary.files]
    if boundary.finished:
        data["finished"].append({**key, **vars(boundary.finished)})
    if boundary.started:
        data["started"].append({**key, **vars(boundary.started)})
