"""The orchestrator's HTTP API."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.requests import HTTPConnection
from fastapi.responses import StreamingResponse
from python_multipart.multipart import parse_options_header

from raptorflow.base.json import loads
from raptorflow.orchestrator.errors import InvalidUpload
from raptorflow.orchestrator.files import too_large
from raptorflow.orchestrator.metrics import SOCKETS
from raptorflow.orchestrator.permissions import Reads, Writes
from raptorflow.orchestrator.schemas import (
    FileView,
    NewMessage,
    NewSession,
    RunDetail,
    SessionDetail,
    SessionView,
)
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.streams.outbox import Outbox
from raptorflow.orchestrator.uploads import multipart_file

router = APIRouter(prefix="/api/v1/orchestrator", tags=["orchestrator"])

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = ": still here\n\n"


def orchestrator_of(connection: HTTPConnection) -> AgentOrchestrator:
    """The orchestrator facade of the running application."""
    return connection.app.state.orchestrator


Orchestrator = Annotated[AgentOrchestrator, Depends(orchestrator_of)]


@router.post("/sessions", status_code=201)
async def create_session(caller: Writes, orchestrator: Orchestrator, new: NewSession) -> SessionView:
    """Begin a conversation."""
    return await orchestrator.create_session(caller, new.title)


@router.get("/sessions")
async def list_sessions(
    caller: Reads,
    orchestrator: Orchestrator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
) -> list[SessionView]:
    """Your conversations, newest first; `before` is the last id of the page before."""
    return await orchestrator.sessions(caller, limit, before)


@router.get("/sessions/{session_id}")
async def get_session(caller: Reads, orchestrator: Orchestrator, session_id: UUID) -> SessionDetail:
    """A conversation with its transcript, files and loaded skills."""
    return await orchestrator.session(caller, session_id)


@router.post("/sessions/{session_id}/messages", status_code=202)
async def send_message(
    caller: Writes,
    orchestrator: Orchestrator,
    session_id: UUID,
    message: NewMessage,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> RunDetail:
    """Send a message: its run is accepted, tail its events for the answer."""
    if idempotency_key and not message.idempotency_key:
        message = message.model_copy(update={"idempotency_key": idempotency_key})
    ref = await orchestrator.send_message(caller, session_id, message)
    return await orchestrator.run(caller, ref.run_id)


@router.get("/runs/{run_id}")
async def get_run(caller: Reads, orchestrator: Orchestrator, run_id: UUID) -> RunDetail:
    """A run with its steps."""
    return await orchestrator.run(caller, run_id)


@router.post("/runs/{run_id}/cancel", status_code=202)
async def cancel_run(caller: Writes, orchestrator: Orchestrator, run_id: UUID) -> RunDetail:
    """End a run."""
    await orchestrator.cancel(caller, run_id)
    return await orchestrator.run(caller, run_id)


@router.get("/runs/{run_id}/events", response_class=StreamingResponse)
async def get_events(
    caller: Reads,
    orchestrator: Orchestrator,
    run_id: UUID,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> StreamingResponse:
    """A run's events as server-sent events, after the number `Last-Event-ID`, until its last."""
    ref = await orchestrator.ref(caller, run_id)
    outbox = Outbox(orchestrator.settings.socket_queue)
    watch = orchestrator.hub.watch(ref, after if last_event_id is None else last_event_id, outbox)

    async def stream() -> AsyncIterator[str]:
        with SOCKETS.track_inprogress():
            try:
                await orchestrator.hub.catch_up(watch)
                async for frames in outbox.batches(KEEP_ALIVE_SECONDS):
                    yield "".join(map(_server_sent, frames)) or KEEP_ALIVE
                    if outbox.ended:
                        return
            finally:
                orchestrator.hub.unwatch(watch)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


@router.post("/files", status_code=201)
async def upload_file(
    request: Request,
    caller: Writes,
    orchestrator: Orchestrator,
    name: Annotated[str | None, Query(max_length=1024)] = None,
) -> FileView:
    """Upload a file: raw bytes with `?name=`, or a multipart form with one file."""
    limit = orchestrator.settings.max_file_bytes
    sent = request.headers.get("content-length", "")
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        file_name, chunks = await multipart_file(request.stream(), options.get(b"boundary", b""))
        return await orchestrator.add_file(caller, name or file_name, chunks)
    if not name:
        raise InvalidUpload("The upload has no name.", hint="Add ?name=data.csv, or send a multipart form.")
    if sent.isdigit() and int(sent) > limit:
        raise too_large(name, int(sent), limit)
    return await orchestrator.add_file(caller, name, request.stream())


@router.get("/files/{file_id}", summary="A file's record")
async def get_file(caller: Reads, orchestrator: Orchestrator, file_id: UUID) -> FileView:
    """A file's record."""
    return await orchestrator.file_record(caller, file_id)


@router.get("/files/{file_id}/content", response_class=Response)
async def get_file_content(caller: Reads, orchestrator: Orchestrator, file_id: UUID) -> Response:
    """A file's bytes, always as a download: what skills and people upload is not ours to show as a page."""
    view, content = await orchestrator.file(caller, file_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(view.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=view.media_type, headers=headers)


def _server_sent(frame: str) -> str:
    """One frame in the event stream format; numbered events carry their number as the id."""
    number = loads(frame).get("seq")
    return f"data: {frame}\n\n" if number is None else f"id: {number}\ndata: {frame}\n\n"
