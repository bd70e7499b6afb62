"""`AgentOrchestrator`: accepts messages, tails runs, keeps files. Each call is one transaction."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.identity import Caller
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.core.telemetry import logger
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.context.entries import printable
from raptorflow.orchestrator.errors import (
    FileNotFound,
    IdempotencyKeyReused,
    MessageTooLarge,
    RunNotFound,
    SessionNotFound,
)
from raptorflow.orchestrator.events import CANCELLED, RunRef, run_error
from raptorflow.orchestrator.files import FileStore, media_type_of, safe_name, unused_name
from raptorflow.orchestrator.models import File, Run, Session
from raptorflow.orchestrator.repository import OrchestratorRepository, Owner
from raptorflow.orchestrator.schemas import (
    FileView,
    NewMessage,
    RunDetail,
    RunView,
    SessionDetail,
    SessionView,
    StepView,
)
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.board import SessionBoard
from raptorflow.orchestrator.streams.channels import ACCEPTED, CANCEL, QUEUE
from raptorflow.orchestrator.streams.envelope import numbered
from raptorflow.orchestrator.streams.hub import EventHub
from raptorflow.orchestrator.streams.publisher import Publisher
from raptorflow.orchestrator.streams.source import JournaledEvents
from raptorflow.orchestrator.views import file_view, message_view

log = logger(__name__)

TITLE_LENGTH = 80


class AgentOrchestrator:
    """The facade of the orchestrator.

    Args:
        database: sessions, runs, transcripts and events.
        valkey: wake-up calls and live events.
        blobs: files.
        settings: limits and the model.
    """

    def __init__(
        self, database: Database, valkey: Valkey, blobs: BlobStore, settings: OrchestratorSettings
    ) -> None:
        self.settings = settings
        self.files = FileStore(blobs, settings.cache_dir)
        self.hub = EventHub(valkey, JournaledEvents(database), settings)
        self.board = SessionBoard(valkey)
        self.database = database
        self.valkey = valkey
        self._publisher = Publisher(valkey, settings)

    async def close(self) -> None:
        """Stop tailing; sockets have been closed by the server before."""
        await self.hub.close()
        await self.board.close()

    async def create_session(self, caller: Caller, title: str = "") -> SessionView:
        """Begin a conversation."""
        async with self.database.session(caller.org_id) as session:
            row = Session(
                id=new_id(),
                org_id=caller.org_id,
                user_id=caller.user_id,
                title=title,
                turns=0,
                state={},
                created_at=utc_now(),
                updated_at=utc_now(),
            )
            _repository(session, caller).add(row)
        return SessionView.model_validate(row)

    async def sessions(self, caller: Caller, limit: int, before: UUID | None = None) -> list[SessionView]:
        """The caller's conversations, newest first."""
        async with self.database.session(caller.org_id) as session:
            rows = await _repository(session, caller).sessions(limit, before)
        return [SessionView.model_validate(row) for row in rows]

    async def session(self, caller: Caller, session_id: UUID) -> SessionDetail:
        """A conversation with its transcript.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self.database.session(caller.org_id) as session:
            repository = _repository(session, caller)
            row = await repository.session(session_id)
            if row is None:
                raise _no_session(session_id)
            transcript = await repository.transcript(session_id)
            files = await repository.session_files(session_id)
            open_runs = await repository.open_runs(session_id)
        return SessionDetail(
            **SessionView.model_validate(row).model_dump(),
            state=row.state,
            messages=[message_view(run_id, entry) for run_id, entry in transcript],
            files=[file_view(file, name) for file, name in files],
            open_runs=[run.id for run in open_runs],
        )

    async def check_session(self, caller: Caller, session_id: UUID) -> None:
        """Verify that a session is the caller's.

        Raises:
            SessionNotFound: there is none, or it is somebody else's.
        """
        async with self.database.session(caller.org_id) as session:
            if await _repository(session, caller).session(session_id) is None:
                raise _no_session(session_id)

    async def send_message(self, caller: Caller, session_id: UUID, message: NewMessage) -> RunRef:
        """Accept a message: when this returns, its run is durable and will be answered exactly once.

        Raises:
            SessionNotFound: there is no such session, or it is somebody else's.
            FileNotFound: a file is not the caller's.
            MessageTooLarge: the text is too long.
            IdempotencyKeyReused: the key came with another text before.
        """
        self._check_size(message)
        ref = RunRef(new_id(), session_id, caller.org_id)
        key = message.idempotency_key or str(ref.run_id)
        text = printable(message.text)
        async with self.database.session(caller.org_id) as session:
            repository = _repository(session, caller)
            content: JsonObject = {
                "text": text,
                "files": await _attach(repository, session_id, message.files),
            }
            title = text.strip()[:TITLE_LENGTH]
            acceptance = await repository.accept(session_id, ref.run_id, key, content, title)
            if not acceptance.owned:
                raise _no_session(session_id)
            if not acceptance.accepted:
                return await _earlier(repository, session_id, key, text)
        await self._announce(ref)
        return ref

    async def run(self, caller: Caller, run_id: UUID) -> RunDetail:
        """A run with its steps.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        async with self.database.session(caller.org_id) as session:
            repository = _repository(session, caller)
            row = await _own_run(repository, run_id)
            steps = await repository.steps(run_id)
        view = RunView.model_validate(row).model_dump()
        return RunDetail(**view, steps=[StepView.model_validate(step) for step in steps])

    async def ref(self, caller: Caller, run_id: UUID) -> RunRef:
        """A run, when the caller may watch it.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        async with self.database.session(caller.org_id) as session:
            return _ref(await _own_run(_repository(session, caller), run_id))

    async def newest_run(self, caller: Caller, session_id: UUID) -> RunRef | None:
        """A session's newest run."""
        async with self.database.session(caller.org_id) as session:
            row = await _repository(session, caller).newest_run(session_id)
        return _ref(row) if row else None

    async def open_runs(self, caller: Caller, session_id: UUID) -> list[RunRef]:
        """A session's runs that have not ended."""
        async with self.database.session(caller.org_id) as session:
            return [_ref(row) for row in await _repository(session, caller).open_runs(session_id)]

    async def cancel(self, caller: Caller, run_id: UUID) -> None:
        """End a run: at once when it waits, at its worker's next breath when it is running.

        Raises:
            RunNotFound: there is none, or it is somebody else's.
        """
        ended = run_error(CANCELLED, "The run was cancelled.")
        async with self.database.session(caller.org_id) as session:
            repository = _repository(session, caller)
            ref = _ref(await _own_run(repository, run_id))
            seq = await repository.end_queued(run_id, ended.type, ended.payload)
            if seq is None:
                await repository.request_cancel(run_id)
        if seq is not None:
            self._publisher.send(run_id, [numbered(ref, seq, ended.type, ended.payload)])
            return
        try:
            await self.valkey.publish(CANCEL, str(run_id))
        except (RedisError, OSError) as error:
            log.warning("cancellation waits for the worker's heartbeat", error=str(error))

    async def add_file(self, caller: Caller, name: str, chunks: AsyncIterator[bytes]) -> FileView:
        """Store an upload.

        Raises:
            InvalidUpload: the name is no name.
            FileTooLarge: it is larger than the limit.
        """
        name = safe_name(name)
        stored = await self.files.receive(caller.org_id, name, chunks, self.settings.max_file_bytes)
        row = File(
            id=new_id(),
            org_id=caller.org_id,
            user_id=caller.user_id,
            run_id=None,
            name=name,
            size=stored.size,
            sha256=stored.sha256,
            media_type=media_type_of(name),
            blob_key=stored.blob_key,
            created_at=utc_now(),
        )
        async with self.database.session(caller.org_id) as session:
            _repository(session, caller).add(row)
        return FileView.model_validate(row)

    async def file_record(self, caller: Caller, file_id: UUID) -> FileView:
        """A file's record.

        Raises:
            FileNotFound: there is none, or it is somebody else's.
        """
        return FileView.model_validate(await self._file(caller, file_id))

    async def file(self, caller: Caller, file_id: UUID) -> tuple[FileView, bytes]:
        """A file and its content.

        Raises:
            FileNotFound: there is none, or it is somebody else's.
        """
        row = await self._file(caller, file_id)
        return FileView.model_validate(row), await self.files.content(row.blob_key)

    async def _file(self, caller: Caller, file_id: UUID) -> File:
        async with self.database.session(caller.org_id) as session:
            row = await _repository(session, caller).file(file_id)
        if row is None:
            raise _no_file(file_id)
        return row

    async def _announce(self, ref: RunRef) -> None:
        """Wake a worker, and tell the session's other windows. Without Valkey both find out by looking."""
        self.board.accepted(ref)
        pipeline = self.valkey.pipeline(transaction=False)
        pipeline.rpush(QUEUE, str(ref.run_id))
        pipeline.publish(ACCEPTED, f"{ref.session_id} {ref.run_id} {ref.org_id}")
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("run not announced", run_id=str(ref.run_id), error=str(error))

    def _check_size(self, message: NewMessage) -> None:
        size, limit = len(message.text.encode()), self.settings.max_message_bytes
        if size > limit:
            raise MessageTooLarge(f"The message has {size:,} bytes, {limit:,} at most.")
        if len(message.files) > self.settings.max_message_files:
            limit = self.settings.max_message_files
            raise MessageTooLarge(f"The message has {len(message.files)} files, {limit} at most.")


def _repository(session: AsyncSession, caller: Caller) -> OrchestratorRepository:
    return OrchestratorRepository(session, Owner(caller.org_id, caller.user_id))


async def _attach(
    repository: OrchestratorRepository, session_id: UUID, file_ids: Sequence[UUID]
) -> list[JsonObject]:
    """Put a message's files into the session; what the transcript tells of them."""
    if not file_ids:
        return []
    files = {file.id: file for file in await repository.files(file_ids)}
    for file_id in file_ids:
        if file_id not in files:
            raise _no_file(file_id)
    names = {file.id: name for file, name in await repository.session_files(session_id)}
    fresh: dict[UUID, str] = {}
    for file_id in file_ids:
        if file_id not in names:
            names[file_id] = fresh[file_id] = unused_name(files[file_id].name, set(names.values()))
    if fresh:
        await repository.attach(session_id, fresh)
    return [{"id": str(file_id), "name": names[file_id], "size": files[file_id].size} for file_id in file_ids]


async def _earlier(repository: OrchestratorRepository, session_id: UUID, key: str, text: str) -> RunRef:
    known = await repository.run_by_key(session_id, key)
    if known is None:
        raise _no_session(session_id)
    run, content = known
    if content["text"] != text:
        raise IdempotencyKeyReused(f"The key {key} came with another message before.")
    return _ref(run)


async def _own_run(repository: OrchestratorRepository, run_id: UUID) -> Run:
    row = await repository.run(run_id)
    if row is None:
        raise RunNotFound(f"There is no run {run_id}.")
    return row


def _ref(run: Run) -> RunRef:
    return RunRef(run.id, run.session_id, run.org_id)


def _no_session(session_id: UUID) -> SessionNotFound:
    return SessionNotFound(f"There is no session {session_id}.")


def _no_file(file_id: UUID) -> FileNotFound:
    return FileNotFound(f"There is no file {file_id}.")
