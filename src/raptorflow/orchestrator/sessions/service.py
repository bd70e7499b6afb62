"""Conversations: begun, listed, read, renamed, deleted."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.orchestrator.context.entries import printable
from raptorflow.orchestrator.errors import SessionBusy, no_session
from raptorflow.orchestrator.events import run_cancelled
from raptorflow.orchestrator.files.repository import FilesRepository
from raptorflow.orchestrator.models import Run, Session
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.repository import OPEN, Owner
from raptorflow.orchestrator.runlog.repository import RunLogRepository
from raptorflow.orchestrator.schemas import SessionDetail, SessionView
from raptorflow.orchestrator.sessions.repository import CHAT, SessionsRepository
from raptorflow.orchestrator.streams.news import EndedRun
from raptorflow.orchestrator.views import file_view, message_view

DELETED = "The session was deleted."
MOST_TRIES = 5


def new_session(owner: Owner, kind: str, title: str) -> Session:
    """The row of a session that begins now."""
    now = utc_now()
    return Session(
        id=new_id(),
        org_id=owner.org_id,
        user_id=owner.user_id,
        kind=kind,
        title=printable(title),
        turns=0,
        state={},
        created_at=now,
        updated_at=now,
    )


class Sessions:
    """A user's conversations."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def create(self, caller: Caller, title: str = "") -> SessionView:
        """Begin a conversation."""
        async with self._parts.transaction(caller) as (session, owner):
            row = new_session(owner, CHAT, title)
            await SessionsRepository(session, owner).begin(row)
        return SessionView.model_validate(row)

    async def page(self, caller: Caller, limit: int, before: UUID | None = None) -> list[SessionView]:
        """The caller's conversations, newest first."""
        async with self._parts.transaction(caller) as who:
            rows = await SessionsRepository(*who).chats(limit, before)
        return [SessionView.model_validate(row) for row in rows]

    async def detail(self, caller: Caller, session_id: UUID) -> SessionDetail:
        """A conversation with its transcript.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            repository = SessionsRepository(*who)
            row = await repository.session(session_id)
            if row is None:
                raise no_session(session_id)
            transcript = await repository.transcript(session_id)
            files = await FilesRepository(*who).session_files(session_id)
            open_runs = await RunLogRepository(*who).open_runs(session_id)
        return SessionDetail(
            **SessionView.model_validate(row).model_dump(),
            state=row.state,
            messages=[message_view(run_id, entry) for run_id, entry in transcript],
            files=[file_view(file, name) for file, name in files],
            open_runs=[run.id for run in open_runs],
        )

    async def check(self, caller: Caller, session_id: UUID) -> None:
        """Verify that a session is the caller's.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            if await SessionsRepository(*who).session(session_id) is None:
                raise no_session(session_id)

    async def rename(self, caller: Caller, session_id: UUID, title: str) -> SessionView:
        """Give a session another title.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self._parts.transaction(caller) as who:
            row = await SessionsRepository(*who).rename(session_id, printable(title))
        if row is None:
            raise no_session(session_id)
        return SessionView.model_validate(row)

    async def delete(self, caller: Caller, session_id: UUID) -> None:
        """Remove a session with its runs, transcript and events; its files stay their user's.

        Runs that have not ended are cancelled: their watchers are told, and a worker that has one finds
        it gone at its next commit, or hears of it before.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
            SessionBusy: messages kept coming in.
        """
        for _ in range(MOST_TRIES):
            runs = await self._delete(caller, session_id)
            if runs is not None:
                break
        else:
            raise SessionBusy(f"Session {session_id} keeps getting messages.")
        left = [run for run in runs if run.status in OPEN]
        for run in left:
            self._parts.news.ended(EndedRun(run.ref, run.last_seq + 1), run_cancelled(DELETED))
        await self._parts.news.to_cancel([run.id for run in left])

    async def _delete(self, caller: Caller, session_id: UUID) -> Sequence[Run] | None:
        """The runs that went with the session; None when one came in meanwhile, and nothing was done.

        A worker's commit has its run's row and waits for the session's. So the runs are locked first; a
        run that was accepted before the session's row was had may be in a worker's hands, and is not
        waited for.
        """
        async with self._parts.transaction(caller) as who:
            repository = SessionsRepository(*who)
            runs = await repository.lock_runs(session_id)
            if not await repository.lock(session_id):
                raise no_session(session_id)
            if await repository.run_ids(session_id) != {run.id for run in runs}:
                return None
            await repository.delete(session_id)
            return runs
