"""What the orchestrator's API takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Key = Annotated[str, Field(min_length=1, max_length=128)]


class NewSession(BaseModel):
    """A conversation to begin."""

    title: str = Field(default="", max_length=200)


class SessionView(BaseModel):
    """A conversation."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    turns: int
    created_at: datetime
    updated_at: datetime


class FileView(BaseModel):
    """An uploaded file, or an artefact (then `run_id` says of which run)."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    size: int
    sha256: str
    media_type: str
    run_id: UUID | None = None
    created_at: datetime | None = None


class ToolCallView(BaseModel):
    """A tool call in an assistant's message."""

    id: str
    name: str
    arguments: str


class MessageView(BaseModel):
    """One entry of the transcript."""

    id: str
    run_id: UUID
    role: Literal["user", "assistant", "tool"]
    content: str
    tool_calls: list[ToolCallView] = []
    tool_call_id: str | None = None
    files: list[dict[str, Any]] = []


class SessionDetail(SessionView):
    """A conversation with its transcript, its files and its loaded skills."""

    state: dict[str, Any]
    messages: list[MessageView]
    files: list[FileView]
    open_runs: list[UUID]


class NewMessage(BaseModel):
    """A user's message.

    With an `idempotency_key` (or the header `Idempotency-Key`) sending it twice is sending it once.
    """

    text: str = Field(min_length=1)
    files: list[UUID] = []
    idempotency_key: Key | None = None


class RunView(BaseModel):
    """A run as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    session_id: UUID
    turn: int
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    model: str | None
    usage: dict[str, Any]
    error: dict[str, Any] | None
    attempt: int
    last_seq: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepView(BaseModel):
    """A step as the journal has it; `timings` are milliseconds."""

    model_config = ConfigDict(from_attributes=True)

    index: int
    kind: Literal["model", "tool"]
    name: str
    status: Literal["started", "finished", "unknown"]
    attempt: int
    timings: dict[str, Any]
    output: dict[str, Any] | None
    started_at: datetime
    finished_at: datetime | None


class RunDetail(RunView):
    """A run with its steps."""

    steps: list[StepView]


class MessageCommand(NewMessage):
    """WebSocket: send a message."""

    type: Literal["message"]


class CancelCommand(BaseModel):
    """WebSocket: end a run; the newest open one when none is named."""

    type: Literal["cancel"]
    run_id: UUID | None = None


class ResumeCommand(BaseModel):
    """WebSocket: send a run's events after a number."""

    type: Literal["resume"]
    run_id: UUID
    after: int = Field(default=0, ge=0)


Command = MessageCommand | CancelCommand | ResumeCommand
COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
