"""What the orchestrator's API takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Key = Annotated[str, Field(min_length=1, max_length=128)]


class NewSession(BaseModel):
    """A conversation to begin."""

    title: str = Field(default="", max_length=200)


class SessionChange(BaseModel):
    """A new title."""

    title: str = Field(min_length=1, max_length=200)


Kind = Literal["chat", "trial"]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class SessionView(BaseModel):
    """A conversation, or the trial of an action."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
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

    With an `idempotency_key` (or the header `Idempotency-Key`) sending it twice is sending it once. With
    `replaces` it takes the place of that run and of all later ones: a retry, or an edited message.
    """

    text: str = Field(min_length=1)
    files: list[UUID] = []
    idempotency_key: Key | None = None
    replaces: UUID | None = None


class NewTrial(BaseModel):
    """One action of an installed skill to run, without a model.

    A file argument is the file's name in the trial, its id stands in `files`.
    """

    skill: str = Field(min_length=1, max_length=200, examples=["acme/word-counter"])
    action: str = Field(min_length=1, max_length=200, examples=["count"])
    arguments: dict[str, Any] = {}
    files: list[UUID] = []


class RunView(BaseModel):
    """A run as it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    session_id: UUID
    turn: int
    status: Status
    model: str | None
    usage: dict[str, Any]
    error: dict[str, Any] | None
    attempt: int
    last_seq: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepView(BaseModel):
    """A step as the journal has it; `timings` are milliseconds, a call's `input` has its `arguments`."""

    model_config = ConfigDict(from_attributes=True)

    index: int
    kind: Literal["model", "tool"]
    name: str
    status: Literal["started", "finished", "unknown"]
    attempt: int
    timings: dict[str, Any]
    input: dict[str, Any] | None
    output: dict[str, Any] | None
    started_at: datetime
    finished_at: datetime | None


class AskedRun(RunView):
    """A run and what it is about.

    `question` has the first 200 characters of the message. A run that is `superseded` was replaced by a
    retry and no longer belongs to its conversation; `replaces` is the run that this one was a retry of.
    """

    kind: Kind
    session_title: str
    question: str
    replaces: UUID | None
    superseded: bool


class RunSummary(AskedRun):
    """A run in a list; `skills` are those whose actions it ran."""

    skills: list[str]


class RunDetail(AskedRun):
    """A run with its steps."""

    steps: list[StepView]


class HistoryRun(BaseModel):
    """A turn of a conversation; `events` are the numbered ones so far, as the stream sends them."""

    run: RunView
    message: MessageView
    events: list[dict[str, Any]]


class History(BaseModel):
    """A page of a conversation, oldest first; `more` says whether there are earlier turns."""

    runs: list[HistoryRun]
    more: bool


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
