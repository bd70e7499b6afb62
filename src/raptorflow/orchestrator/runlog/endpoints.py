"""Runs over HTTP, their events as server-sent events included."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from raptorflow.base.json import loads
from raptorflow.orchestrator.metrics import SOCKETS
from raptorflow.orchestrator.permissions import Orchestrator, Reads, Writes
from raptorflow.orchestrator.runlog.repository import Wanted
from raptorflow.orchestrator.schemas import RunDetail, RunSummary, Status
from raptorflow.orchestrator.streams.outbox import Outbox

router = APIRouter()

EVENTS_GIVEN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = ": still here\n\n"


@router.get("/runs")
async def list_runs(
    caller: Reads,
    orchestrator: Orchestrator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
    status: Status | None = None,
    session_id: UUID | None = None,
) -> list[RunSummary]:
    """Your runs, newest first, trials included; `before` is the last id of the page before."""
    return await orchestrator.runs.page(caller, Wanted(before, status, session_id), limit)


@router.get("/runs/{run_id}")
async def get_run(caller: Reads, orchestrator: Orchestrator, run_id: UUID) -> RunDetail:
    """A run with its steps."""
    return await orchestrator.runs.detail(caller, run_id)


@router.post("/runs/{run_id}/cancel", status_code=202)
async def cancel_run(caller: Writes, orchestrator: Orchestrator, run_id: UUID) -> RunDetail:
    """End a run."""
    await orchestrator.runs.cancel(caller, run_id)
    return await orchestrator.runs.detail(caller, run_id)


@router.get("/runs/{run_id}/events", response_class=StreamingResponse, responses=EVENTS_GIVEN)
async def get_events(
    caller: Reads,
    orchestrator: Orchestrator,
    run_id: UUID,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> StreamingResponse:
    """A run's events as server-sent events, after the number `Last-Event-ID`, until its last."""
    ref = await orchestrator.runs.ref(caller, run_id)
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


def _server_sent(frame: str) -> str:
    """One frame in the event stream format; numbered events carry their number as the id."""
    number = loads(frame).get("seq")
    return f"data: {frame}\n\n" if number is None else f"id: {number}\ndata: {frame}\n\n"
