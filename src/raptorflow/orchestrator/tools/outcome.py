"""What a tool call comes to."""

from dataclasses import dataclass, field
from typing import Literal

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.context.active import ActiveSkills
from raptorflow.orchestrator.events import NewEvent
from raptorflow.orchestrator.runs.records import NewFile, StepStatus


@dataclass(frozen=True)
class ToolOutcome:
    """A tool's result.

    Attributes:
        content: what the model reads.
        status: for people; `unknown` when nobody can say whether it happened.
        facts: what the step and its event tell besides (JSON-ready).
        active: the loaded skills from now on, when they changed.
        events: what clients are told besides the result.
        files: artefacts.
    """

    content: str
    status: Literal["ok", "error", "unknown"] = "ok"
    facts: JsonObject = field(default_factory=dict[str, object])
    timings: JsonObject = field(default_factory=dict[str, object])
    active: ActiveSkills | None = None
    events: tuple[NewEvent, ...] = ()
    files: tuple[NewFile, ...] = ()

    @property
    def step_status(self) -> StepStatus:
        """How the journal notes the step."""
        return "unknown" if self.status == "unknown" else "finished"


def failed(code: str, message: str, hint: str | None = None, **facts: object) -> ToolOutcome:
    """A call that came to nothing, told to the model and to people in the same words."""
    error: JsonObject = {"code": code, "message": message, **({"hint": hint} if hint else {})}
    return ToolOutcome(dumps({"error": error}), "error", {"error": error, **facts})


def refused(error: RaptorFlowError) -> ToolOutcome:
    """A call that met a known failure."""
    return failed(error.code, error.message, error.hint)
