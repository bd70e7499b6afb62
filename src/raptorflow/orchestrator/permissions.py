"""Who may use the orchestrator, as types of an endpoint's signature."""

from typing import Annotated

from fastapi import Depends

from raptorflow.accounts.identity import Caller
from raptorflow.accounts.permissions import Requires

READ, WRITE = "orchestrator:read", "orchestrator:write"

Reads = Annotated[Caller, Depends(Requires(READ))]
Writes = Annotated[Caller, Depends(Requires(WRITE))]
