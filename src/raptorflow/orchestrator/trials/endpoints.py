"""Trials over HTTP."""

from fastapi import APIRouter

from raptorflow.orchestrator.permissions import Orchestrator, Writes
from raptorflow.orchestrator.schemas import NewTrial, RunDetail

router = APIRouter()


@router.post("/trials", status_code=202)
async def begin_trial(caller: Writes, orchestrator: Orchestrator, trial: NewTrial) -> RunDetail:
    """Run one action of an installed skill in the sandbox without a model; tail its run's events."""
    ref = await orchestrator.trials.begin(caller, trial)
    return await orchestrator.runs.detail(caller, ref.run_id)
