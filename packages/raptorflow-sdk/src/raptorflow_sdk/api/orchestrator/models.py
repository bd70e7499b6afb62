"""What the orchestrator API takes and gives. Written by `make api` from the API's document."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, SecretStr


class FileView(BaseModel):
    """An uploaded file, or an artefact (then `run_id` says of which run)."""

    created_at: AwareDatetime | None = None
    id: UUID
    media_type: str
    name: str
    run_id: UUID | None = None
    sha256: str
    size: int


class ModelChoiceRequest(BaseModel):
    """Which connection runs are to use; null is the server's default."""

    connection_id: UUID | None


class ModelConnectionChange(BaseModel):
    """What to change of a connection; null takes an address or a key away, what is left out stays."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    model: str | None = None


class ModelCost(BaseModel):
    """Prices in millionths of a US dollar: of a million tokens, and of the test itself."""

    input_per_million_microusd: int
    output_per_million_microusd: int
    test_microusd: int


class ModelInUse(BaseModel):
    """The model that answers the organisation's next run; `settings` is the server's default."""

    connection_id: UUID | None
    model: str
    offline: bool
    provider: str
    source: Literal["connection", "settings"]


class ModelProvider(BaseModel):
    """What connecting a provider's model takes."""

    id: Literal["anthropic", "openai", "openai-compatible"]
    needs_base_url: bool
    needs_key: bool
    suggestions: list[str]
    title: str


class ModelTest(BaseModel):
    """What a test found. Nothing is known of what it did not come to.

    Attributes:
        first_event_ms: until the model's first sign of life, and `total_ms` until the end of its text.
        streaming: whether the text came in more than one piece.
        tool_calling: whether it called the tool that it was told to call.
        cost: absent when no price is known for this model at this address.
    """

    cost: ModelCost | None = None
    first_event_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    problem: dict[str, Any] | None = None
    status: Literal["running", "passed", "failed"]
    streaming: bool | None = None
    tested_at: AwareDatetime
    tokens_per_second: float | None = None
    tool_calling: bool | None = None
    total_ms: float | None = None


class NewMessage(BaseModel):
    """A user's message.

    With an `idempotency_key` (or the header `Idempotency-Key`) sending it twice is sending it once. With
    `replaces` it takes the place of that run and of all later ones: a retry, or an edited message.
    """

    files: list[UUID] | None = []
    idempotency_key: str | None = None
    replaces: UUID | None = None
    text: str


class NewModelConnection(BaseModel):
    """A language model to connect."""

    api_key: SecretStr | None = None
    base_url: str | None = None
    model: str
    provider: Literal["anthropic", "openai", "openai-compatible"]


class NewSession(BaseModel):
    """A conversation to begin."""

    title: str | None = ""


class NewTrial(BaseModel):
    """One action of an installed skill to run, without a model.

    A file argument is the file's name in the trial, its id stands in `files`.
    """

    action: Annotated[str, Field(examples=["count"])]
    arguments: dict[str, Any] | None = None
    files: list[UUID] | None = []
    skill: Annotated[str, Field(examples=["acme/word-counter"])]


class RunSummary(BaseModel):
    """A run in a list; `skills` are those whose actions it ran."""

    attempt: int
    created_at: AwareDatetime
    error: dict[str, Any] | None
    finished_at: AwareDatetime | None
    id: UUID
    kind: Literal["chat", "trial"]
    last_seq: int
    model: str | None
    question: str
    replaces: UUID | None
    session_id: UUID
    session_title: str
    skills: list[str]
    started_at: AwareDatetime | None
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    superseded: bool
    turn: int
    usage: dict[str, Any]


class RunView(BaseModel):
    """A run as it stands."""

    attempt: int
    created_at: AwareDatetime
    error: dict[str, Any] | None
    finished_at: AwareDatetime | None
    id: UUID
    last_seq: int
    model: str | None
    session_id: UUID
    started_at: AwareDatetime | None
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    turn: int
    usage: dict[str, Any]


class SessionChange(BaseModel):
    """A new title."""

    title: str


class SessionView(BaseModel):
    """A conversation, or the trial of an action."""

    created_at: AwareDatetime
    id: UUID
    kind: Literal["chat", "trial"]
    title: str
    turns: int
    updated_at: AwareDatetime


class StepView(BaseModel):
    """A step as the journal has it; `timings` are milliseconds, a call's `input` has its `arguments`."""

    attempt: int
    finished_at: AwareDatetime | None
    index: int
    input: dict[str, Any] | None
    kind: Literal["model", "tool"]
    name: str
    output: dict[str, Any] | None
    started_at: AwareDatetime
    status: Literal["started", "finished", "unknown"]
    timings: dict[str, Any]


class ToolCallView(BaseModel):
    """A tool call in an assistant's message."""

    arguments: str
    id: str
    name: str


class MessageView(BaseModel):
    """One entry of the transcript."""

    content: str
    files: list[dict[str, Any]] | None = []
    id: str
    role: Literal["user", "assistant", "tool"]
    run_id: UUID
    tool_call_id: str | None = None
    tool_calls: Annotated[list[ToolCallView] | None, Field(validate_default=True)] = []


class ModelConnection(BaseModel):
    """A connected language model; of its key only the end is shown."""

    base_url: str | None
    chosen: bool
    created_at: AwareDatetime
    id: UUID
    key_hint: str | None
    model: str
    provider: Literal["anthropic", "openai", "openai-compatible"]
    test: ModelTest | None


class ModelOverview(BaseModel):
    """The providers there are, the organisation's connections, and what is in use."""

    connections: list[ModelConnection]
    in_use: ModelInUse
    providers: list[ModelProvider]


class RunDetail(BaseModel):
    """A run with its steps."""

    attempt: int
    created_at: AwareDatetime
    error: dict[str, Any] | None
    finished_at: AwareDatetime | None
    id: UUID
    kind: Literal["chat", "trial"]
    last_seq: int
    model: str | None
    question: str
    replaces: UUID | None
    session_id: UUID
    session_title: str
    started_at: AwareDatetime | None
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    steps: list[StepView]
    superseded: bool
    turn: int
    usage: dict[str, Any]


class SessionDetail(BaseModel):
    """A conversation with its transcript, its files and its loaded skills."""

    created_at: AwareDatetime
    files: list[FileView]
    id: UUID
    kind: Literal["chat", "trial"]
    messages: list[MessageView]
    open_runs: list[UUID]
    state: dict[str, Any]
    title: str
    turns: int
    updated_at: AwareDatetime


class HistoryRun(BaseModel):
    """A turn of a conversation; `events` are the numbered ones so far, as the stream sends them."""

    events: list[dict[str, Any]]
    message: MessageView
    run: RunView


class History(BaseModel):
    """A page of a conversation, oldest first; `more` says whether there are earlier turns."""

    more: bool
    runs: list[HistoryRun]
