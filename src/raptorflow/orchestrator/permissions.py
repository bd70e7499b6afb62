"""Who may use the orchestrator, as types of an endpoint's signature."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from raptorflow.accounts.identity import Caller
from raptorflow.accounts.permissions import Requires
from raptorflow.orchestrator.service import AgentOrchestrator

READ, WRITE = "orchestrator:read", "orchestrator:write"


def orchestrator_of(connection: HTTPConnection) -> AgentOrchestrator:
    """The orchestrator facade of the running application."""
    return connection.app.state.orchestrator


Orchestrator = Annotated[AgentOrchestrator, Depends(orchestrator_of)]
Reads = Annotated[Caller, Depends(Requires(READ))]
Writes = Annotated[Caller, Depends(Requires(WRITE))]
