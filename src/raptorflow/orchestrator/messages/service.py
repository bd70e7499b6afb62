"""Messages come in, retries included: each becomes a run that some worker plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.context.entries import printable
from raptorflow.orchestrator.errors import IdempotencyKeyReused, MessageTooLarge, no_run, no_session
from raptorflow.orchestrator.events import RunRef, run_cancelled
from raptorflow.orchestrator.files.attaching import attach
from raptorflow.orchestrator.files.repository import FilesRepository
from raptorflow.orchestrator.messages.repository import MessagesRepository, NewRun
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.schemas import NewMessage
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.news import EndedRun

TITLE_LENGTH = 80
SUPERSEDED = "The message was sent again or edited."


@dataclass(frozen=True)
class _Replaced:
    """What a retry did to open runs: ended them, or left them to be cancelled by whoever has them."""

    ended: Sequence[EndedRun] = ()
    running: Sequence[UUID] = ()


class Messages:
    """Accepts messages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def send(self, caller: Caller, session_id: UUID, message: NewMessage) -> RunRef:
        """Accept a message: when this returns, its run is durable and will be answered exactly once.

        With `replaces` that run and all later ones are superseded in the same commit: those that wait end
        at once, and a running one is cancelled before the new one begins. Of two retries at once the later
        one supersedes the earlier one.

        Raises:
            SessionNotFound: there is no such chat, or it is somebody else's.
            RunNotFound: the run to replace is not of this session.
            FileNotFound: a file is not the caller's.
            MessageTooLarge: the text is too long.
            IdempotencyKeyReused: the key came with another text before.
        """
        check_size(self._parts.settings, message.text, message.files)
        ref = RunRef(new_id(), session_id, caller.org_id)
        text = printable(message.text)
        replaced = _Replaced()
        async with self._parts.transaction(caller) as who:
            repository = MessagesRepository(*who)
            turn = await repository.next_turn(session_id, text.strip()[:TITLE_LENGTH])
            if turn is None:
                raise no_session(session_id)
            if earlier := await _earlier(repository, session_id, message.idempotency_key, text):
                return earlier
            if message.replaces:
                replaced = await _replace(repository, session_id, message.replaces, turn)
            files = await attach(FilesRepository(*who), session_id, message.files)
            content: JsonObject = {"text": text, "files": files}
            key = message.idempotency_key or str(ref.run_id)
            await repository.accept(NewRun(ref, turn, key, content, message.replaces))
        await self._tell(ref, replaced)
        return ref

    async def _tell(self, ref: RunRef, replaced: _Replaced) -> None:
        for run in replaced.ended:
            self._parts.news.ended(run, run_cancelled(SUPERSEDED))
        await self._parts.news.to_cancel(replaced.running)
        await self._parts.news.accepted(ref)


def check_size(settings: OrchestratorSettings, text: str, files: Sequence[UUID]) -> None:
    """Hold a message to the limits.

    Raises:
        MessageTooLarge: it is too long, or has too many files.
    """
    size, limit = len(text.encode()), settings.max_message_bytes
    if size > limit:
        raise MessageTooLarge(f"The message has {size:,} bytes, {limit:,} at most.")
    if len(files) > settings.max_message_files:
        raise MessageTooLarge(f"The message has {len(files)} files, {settings.max_message_files} at most.")


async def _earlier(
    repository: MessagesRepository, session_id: UUID, key: str | None, text: str
) -> RunRef | None:
    """The run that the key has stood for since it came first."""
    known = await repository.run_by_key(session_id, key) if key else None
    if known is None:
        return None
    run, content = known
    if content["text"] != text:
        raise IdempotencyKeyReused(f"The key {key} came with another message before.")
    return run.ref


async def _replace(repository: MessagesRepository, session_id: UUID, replaces: UUID, turn: int) -> _Replaced:
    first = await repository.supersede(session_id, replaces, turn)
    if first is None:
        raise no_run(replaces)
    ended = await repository.end_waiting(session_id, first, turn, run_cancelled(SUPERSEDED))
    return _Replaced(ended, await repository.open_between(session_id, first, turn))
