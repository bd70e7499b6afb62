"""`/ws/sessions/{id}`: commands in, events out, for as long as the window is open.

Commands, each one JSON text frame:

    {"type": "message", "text": "...", "files": [ids], "idempotency_key": "...", "replaces": run id}
    {"type": "cancel", "run_id": "..."}            the newest open run when none is named
    {"type": "resume", "run_id": "...", "after": 12}

The server sends events (see `events.py`) of every run of the session. `CUSTOM` events without a run answer
commands: `accepted` (`run_id`, `idempotency_key`) and `refused` (problem details; the socket stays open).

With `?after=N` the newest run's events follow from number N, of `?run_id=` when it is named. Without it the
socket begins with `MESSAGES_SNAPSHOT` and `STATE_SNAPSHOT`, and then sends what open runs have to tell.

A socket that may not be opened is answered with problem details (401, 403, 404). Closing code 1013 means:
too slow, or open for long; connect again and resume.
"""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.responses import Response

from raptorflow.accounts.errors import ScopeMissing
from raptorflow.accounts.identity import Caller
from raptorflow.accounts.permissions import caller_of
from raptorflow.base.errors import NotFound, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.http import Problem
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.orchestrator.errors import InvalidFrame, MessageTooLarge
from raptorflow.orchestrator.events import CUSTOM, MESSAGES_SNAPSHOT, STATE_SNAPSHOT, RunRef
from raptorflow.orchestrator.metrics import SOCKETS
from raptorflow.orchestrator.permissions import READ, WRITE, Orchestrator
from raptorflow.orchestrator.schemas import COMMANDS, CancelCommand, Command, MessageCommand
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.streams.hub import Watch
from raptorflow.orchestrator.streams.outbox import Outbox
from raptorflow.orchestrator.views import agui_message

router = APIRouter(tags=["orchestrator"])
log = logger(__name__)

TRY_AGAIN_LATER = 1013
FRAME_OVERHEAD = 16 * 1024
"""What a command may have besides its text: ids of files, a key."""


@router.websocket("/ws/sessions/{session_id}")
async def session_socket(
    websocket: WebSocket,
    orchestrator: Orchestrator,
    session_id: UUID,
    after: Annotated[int | None, Query(ge=0)] = None,
    run_id: UUID | None = None,
) -> None:
    """Talk with a session; see the module's text."""
    try:
        caller = await caller_of(websocket)
        _require(caller, READ)
        window = SessionWindow(websocket, orchestrator, caller, session_id)
        await window.begin(after, run_id)
    except RaptorFlowError as error:
        await websocket.send_denial_response(_denial(error, websocket))
        return
    with SOCKETS.track_inprogress():
        await window.live()


class SessionWindow:
    """One open socket."""

    def __init__(
        self, websocket: WebSocket, orchestrator: AgentOrchestrator, caller: Caller, session_id: UUID
    ) -> None:
        self._socket = websocket
        self._orchestrator = orchestrator
        self._caller = caller
        self._session_id = session_id
        self._outbox = Outbox(orchestrator.settings.socket_queue)
        self._watches: dict[UUID, Watch] = {}
        self._most_bytes = orchestrator.settings.max_message_bytes * 2 + FRAME_OVERHEAD

    async def begin(self, after: int | None, run_id: UUID | None) -> None:
        """Put together what the socket begins with, before it is opened.

        Raises:
            SessionNotFound: there is no such session, or it is somebody else's.
            RunNotFound: so with the run.
        """
        if after is None:
            await self._snapshots()
            for ref in await self._orchestrator.runs.open(self._caller, self._session_id):
                self._watch(ref, 0)
        else:
            await self._orchestrator.sessions.check(self._caller, self._session_id)
            ref = await self._run_to_resume(run_id)
            if ref:
                self._watch(ref, after)

    async def live(self) -> None:
        """Open the socket and serve it until one side closes it."""
        await self._socket.accept()
        self._orchestrator.board.enter(self._session_id, self)
        sending = asyncio.create_task(self._send())
        receiving = asyncio.create_task(self._receive())
        try:
            for watch in list(self._watches.values()):
                await self._orchestrator.hub.catch_up(watch)
            lifetime = self._orchestrator.settings.socket_seconds
            done, _ = await asyncio.wait(
                [sending, receiving], timeout=lifetime, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._orchestrator.board.leave(self._session_id, self)
            for watch in self._watches.values():
                self._orchestrator.hub.unwatch(watch)
            await end_tasks([sending, receiving])
        if self._outbox.too_slow:
            await self._close(TRY_AGAIN_LATER, "too slow: connect again and resume after your last number")
        elif not done:
            await self._close(TRY_AGAIN_LATER, "open for long: connect again and resume")

    def show(self, ref: RunRef) -> None:
        """Send a new run's events."""
        if ref.run_id not in self._watches:
            self._watch(ref, 0)

    def _watch(self, ref: RunRef, after: int) -> Watch:
        known = self._watches.pop(ref.run_id, None)
        if known:
            self._orchestrator.hub.unwatch(known)
        watch = self._watches[ref.run_id] = self._orchestrator.hub.watch(ref, after, self._outbox)
        return watch

    async def _send(self) -> None:
        try:
            async for frames in self._outbox.batches():
                for frame in frames:
                    await self._socket.send_text(frame)
                self._forget_ended()
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            log.debug("socket gone", error=str(error))

    async def _receive(self) -> None:
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._obey(message.get("text"))
        except RuntimeError as error:
            log.debug("socket gone", error=str(error))

    async def _obey(self, frame: str | None) -> None:
        try:
            command = self._command(frame)
            _require(self._caller, READ if command.type == "resume" else WRITE)
            if isinstance(command, MessageCommand):
                await self._message(command)
            elif isinstance(command, CancelCommand):
                await self._cancel(command)
            else:
                ref = await self._run_to_resume(command.run_id)
                if ref:
                    await self._orchestrator.hub.catch_up(self._watch(ref, command.after))
        except RaptorFlowError as error:
            self._tell("refused", error.problem())

    def _command(self, frame: str | None) -> Command:
        if frame is None:
            raise InvalidFrame("Binary frames are not understood.")
        if len(frame) > self._most_bytes:
            limit = self._orchestrator.settings.max_message_bytes
            raise MessageTooLarge(
                f"The frame has {len(frame):,} characters; a message has {limit:,} at most."
            )
        try:
            return COMMANDS.validate_python(loads(frame))
        except ValidationError as error:
            issue = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(step) for step in issue["loc"])
            raise InvalidFrame(f"{place}: {issue['msg']}".lstrip(": ")) from error
        except ValueError as error:
            raise InvalidFrame("The frame is not JSON.") from error

    async def _message(self, command: MessageCommand) -> None:
        ref = await self._orchestrator.messages.send(self._caller, self._session_id, command)
        self._tell("accepted", {"run_id": str(ref.run_id), "idempotency_key": command.idempotency_key})
        # The board has shown a new run already; one that was accepted before may have been missed.
        self.show(ref)

    async def _cancel(self, command: CancelCommand) -> None:
        run_id = command.run_id
        if run_id is None:
            open_runs = await self._orchestrator.runs.open(self._caller, self._session_id)
            if not open_runs:
                raise NotFound("The session has no open run.")
            run_id = open_runs[-1].run_id
        await self._orchestrator.runs.cancel(self._caller, run_id)

    async def _run_to_resume(self, run_id: UUID | None) -> RunRef | None:
        if run_id is None:
            return await self._orchestrator.runs.newest(self._caller, self._session_id)
        ref = await self._orchestrator.runs.ref(self._caller, run_id)
        if ref.session_id != self._session_id:
            raise NotFound(f"Run {run_id} is not of this session.")
        return ref

    async def _snapshots(self) -> None:
        detail = await self._orchestrator.sessions.detail(self._caller, self._session_id)
        thread: JsonObject = {"threadId": str(self._session_id)}
        messages = [agui_message(message) for message in detail.messages]
        self._outbox.put(
            [
                dumps({"type": MESSAGES_SNAPSHOT, **thread, "messages": messages}),
                dumps({"type": STATE_SNAPSHOT, **thread, "snapshot": detail.state}),
            ]
        )

    def _tell(self, name: str, value: JsonObject) -> None:
        event = {"type": CUSTOM, "threadId": str(self._session_id), "name": name, "value": value}
        self._outbox.put([dumps(event)])

    def _forget_ended(self) -> None:
        for run_id in self._outbox.ended:
            self._watches.pop(run_id, None)
        self._outbox.ended.clear()

    async def _close(self, code: int, reason: str) -> None:
        try:
            await self._socket.close(code, reason)
        except (RuntimeError, OSError) as error:
            log.debug("socket gone", error=str(error))


def _require(caller: Caller, scope: str) -> None:
    if scope not in caller.scopes:
        raise ScopeMissing(f"The token lacks the scope {scope}.")


def _denial(error: RaptorFlowError, websocket: WebSocket) -> Response:
    return Problem(error.problem(instance=websocket.url.path), status_code=error.status)
