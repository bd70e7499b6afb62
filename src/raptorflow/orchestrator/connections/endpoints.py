"""The API of connected language models."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.permissions import Requires
from raptorflow.orchestrator.connections.schemas import (
    ModelChoiceRequest,
    ModelConnection,
    ModelConnectionChange,
    ModelInUse,
    ModelOverview,
    NewModelConnection,
)
from raptorflow.orchestrator.connections.service import ModelConnections
from raptorflow.orchestrator.permissions import WRITE, Reads

router = APIRouter(prefix="/api/v1/orchestrator/models", tags=["orchestrator"])

Chooses = Annotated[Caller, Depends(Requires(WRITE, Role.ADMIN))]
Connects = Annotated[Caller, Depends(Requires(WRITE, Role.ADMIN, session=True))]
"""Keys are handed over by people who are signed in, never by a token."""


def connections_of(request: Request) -> ModelConnections:
    """The connected models' facade of the running application."""
    return request.app.state.connections


Connections = Annotated[ModelConnections, Depends(connections_of)]


@router.get("")
async def list_models(caller: Reads, connections: Connections) -> ModelOverview:
    """The providers there are, your organisation's connections, and the model in use.

    When the chosen connection is deleted, the server's default is in use again (`source` is `settings`).
    """
    return await connections.overview(caller)


@router.post("", status_code=201)
async def connect_model(
    caller: Connects, connections: Connections, new: NewModelConnection
) -> ModelConnection:
    """Connect a model. Its key is sealed and never shown again; test it, then choose it."""
    return await connections.connect(caller, new)


@router.put("/choice")
async def choose_model(caller: Chooses, connections: Connections, choice: ModelChoiceRequest) -> ModelInUse:
    """Choose the connection that runs use from now on; null is the server's default."""
    return await connections.choose(caller, choice.connection_id)


@router.get("/{connection_id}")
async def get_model(caller: Reads, connections: Connections, connection_id: UUID) -> ModelConnection:
    """A connection with its newest test."""
    return await connections.connection(caller, connection_id)


@router.patch("/{connection_id}")
async def change_model(
    caller: Connects, connections: Connections, connection_id: UUID, change: ModelConnectionChange
) -> ModelConnection:
    """Change a connection; a stored key does not go along to another host, so send it again."""
    return await connections.change(caller, connection_id, change)


@router.delete("/{connection_id}", status_code=204)
async def delete_model(caller: Connects, connections: Connections, connection_id: UUID) -> None:
    """Take a connection and its key away."""
    await connections.delete(caller, connection_id)


@router.post("/{connection_id}/test", status_code=202)
async def test_model(caller: Connects, connections: Connections, connection_id: UUID) -> ModelConnection:
    """Have a worker ask the model for a text and a tool call; look at the connection for the result."""
    return await connections.start_test(caller, connection_id)
