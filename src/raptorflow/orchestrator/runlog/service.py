"""Runs as their user sees them: watched, cancelled, listed, read again."""

from collections import defaultdict
from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.errors import no_run, no_session
from raptorflow.orchestrator.events import RunRef, as_sent, run_cancelled
from raptorflow.orchestrator.models import Run
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.runlog.repository import Asked, RunLogRepository, Wanted
from raptorflow.orchestrator.schemas import AskedRun, History, HistoryRun, RunDetail, RunSummary, RunView
from raptorflow.orchestrator.sessions.repository import SessionsRepository
from raptorflow.orchestrator.streams.news import EndedRun
from raptorflow.orchestrator.views import message_view, step_view


class RunLog:
    """A user's runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def detail(self, caller: Caller, run_id: UUID) -> RunDetail:
        """A run with its steps.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            repository = RunLogRepository(*who)
            asked = await repository.asked(run_id)
            if asked is None:
                raise no_run(run_id)
            steps = await repository.steps(run_id)
        return RunDetail(**_asked(asked).model_dump(), steps=[step_view(step) for step in steps])

    async def page(self, caller: Caller, wanted: Wanted, limit: int) -> list[RunSummary]:
        """The caller's runs, newest first."""
        async with self._parts.transaction(caller) as who:
            repository = RunLogRepository(*who)
            found = await repository.newest(wanted, limit)
            used = await repository.skills_run([asked.run.id for asked in found])
        skills: dict[UUID, list[str]] = defaultdict(list)
        for run_id, name in used:
            skills[run_id].append(name)
        return [
            RunSummary(**_asked(asked).model_dump(), skills=skills.get(asked.run.id, [])) for asked in found
        ]

    async def history(self, caller: Caller, session_id: UUID, limit: int, before: int | None) -> History:
        """A page of a conversation with all its events, as if they had been watched.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            if await SessionsRepository(*who).session(session_id) is None:
                raise no_session(session_id)
            repository = RunLogRepository(*who)
            found = await repository.turns(session_id, limit + 1, before)
            turns = list(reversed(found[:limit]))
            rows = await repository.events([run.id for run, _ in turns])
        refs = {run.id: run for run, _ in turns}
        events: dict[UUID, list[JsonObject]] = defaultdict(list)
        for run_id, seq, event_type, payload in rows:
            # A worker may have gone on since the run was read; what it told then comes by the stream.
            if seq <= refs[run_id].last_seq:
                events[run_id].append(as_sent(refs[run_id].ref, event_type, payload, seq))
        return History(
            runs=[
                HistoryRun(
                    run=RunView.model_validate(run),
                    message=message_view(run.id, entry),
                    events=events.get(run.id, []),
                )
                for run, entry in turns
            ],
            more=len(found) > limit,
        )

    async def ref(self, caller: Caller, run_id: UUID) -> RunRef:
        """A run, when the caller may watch it.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            return (await _own_run(RunLogRepository(*who), run_id)).ref

    async def newest(self, caller: Caller, session_id: UUID) -> RunRef | None:
        """A session's newest run."""
        async with self._parts.transaction(caller) as who:
            row = await RunLogRepository(*who).newest_run(session_id)
        return row.ref if row else None

    async def open(self, caller: Caller, session_id: UUID) -> list[RunRef]:
        """A session's runs that have not ended."""
        async with self._parts.transaction(caller) as who:
            return [row.ref for row in await RunLogRepository(*who).open_runs(session_id)]

    async def cancel(self, caller: Caller, run_id: UUID) -> None:
        """End a run: at once when it waits, at its worker's next breath when it is running.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            repository = RunLogRepository(*who)
            ref = (await _own_run(repository, run_id)).ref
            seq = await repository.end_queued(run_id, run_cancelled())
            if seq is None:
                await repository.request_cancel(run_id)
        if seq is None:
            await self._parts.news.to_cancel([run_id])
        else:
            self._parts.news.ended(EndedRun(ref, seq), run_cancelled())


def _asked(asked: Asked) -> AskedRun:
    view = RunView.model_validate(asked.run).model_dump()
    facts = {key: value for key, value in vars(asked).items() if key != "run"}
    return AskedRun(**view, **facts, replaces=asked.run.replaces)


async def _own_run(repository: RunLogRepository, run_id: UUID) -> Run:
    row = await repository.run(run_id)
    if row is None:
        raise no_run(run_id)
    return row
