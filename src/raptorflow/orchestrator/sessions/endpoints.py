"""Conversations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from raptorflow.orchestrator.permissions import Orchestrator, Reads, Writes
from raptorflow.orchestrator.schemas import (
    History,
    NewMessage,
    NewSession,
    RunDetail,
    SessionChange,
    SessionDetail,
    SessionView,
)

router = APIRouter()


@router.post("/sessions", status_code=201)
async def create_session(caller: Writes, orchestrator: Orchestrator, new: NewSession) -> SessionView:
    """Begin a conversation."""
    return await orchestrator.sessions.create(caller, new.title)


@router.get("/sessions")
async def list_sessions(
    caller: Reads,
    orchestrator: Orchestrator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
) -> list[SessionView]:
    """Your conversations, newest first; `before` is the last id of the page before."""
    return await orchestrator.sessions.page(caller, limit, before)


@router.get("/sessions/{session_id}")
async def get_session(caller: Reads, orchestrator: Orchestrator, session_id: UUID) -> SessionDetail:
    """A conversation with its transcript, files and loaded skills."""
    return await orchestrator.sessions.detail(caller, session_id)


@router.patch("/sessions/{session_id}")
async def rename_session(
    caller: Writes, orchestrator: Orchestrator, session_id: UUID, change: SessionChange
) -> SessionView:
    """Give a conversation another title."""
    return await orchestrator.sessions.rename(caller, session_id, change.title)


@router.delete("/sessions/{session_id}", status_code=204)
async def delete_session(caller: Writes, orchestrator: Orchestrator, session_id: UUID) -> None:
    """Delete a conversation with its runs; open ones are cancelled. Files stay yours."""
    await orchestrator.sessions.delete(caller, session_id)


@router.get("/sessions/{session_id}/history")
async def get_history(
    caller: Reads,
    orchestrator: Orchestrator,
    session_id: UUID,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=0)] = None,
) -> History:
    """The newest turns below the turn `before`, oldest first, each with its events so far."""
    return await orchestrator.runs.history(caller, session_id, limit, before)


@router.post("/sessions/{session_id}/messages", status_code=202)
async def send_message(
    caller: Writes,
    orchestrator: Orchestrator,
    session_id: UUID,
    message: NewMessage,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> RunDetail:
    """Send a message, or with `replaces` send one again: its run is accepted, tail its events."""
    if idempotency_key and not message.idempotency_key:
        message = message.model_copy(update={"idempotency_key": idempotency_key})
    ref = await orchestrator.messages.send(caller, session_id, message)
    return await orchestrator.runs.detail(caller, ref.run_id)
