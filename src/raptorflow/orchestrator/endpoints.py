"""The orchestrator's HTTP API, put together."""

from fastapi import APIRouter

from raptorflow.orchestrator.files.endpoints import router as files
from raptorflow.orchestrator.runlog.endpoints import router as runs
from raptorflow.orchestrator.sessions.endpoints import router as sessions
from raptorflow.orchestrator.trials.endpoints import router as trials

router = APIRouter(prefix="/api/v1/orchestrator", tags=["orchestrator"])
for _part in (sessions, runs, trials, files):
    router.include_router(_part)
