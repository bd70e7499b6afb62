"""What a worker reads when it takes a run, and what it writes at a step's boundary."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.context.entries import Entry, Role
from raptorflow.orchestrator.events import NewEvent, RunRef

StepKind = Literal["model", "tool"]
StepStatus = Literal["finished", "unknown"]
EndStatus = Literal["succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class SessionFileRef:
    """A file of the session, under its name there."""

    file_id: UUID
    name: str
    size: int
    sha256: str
    media_type: str
    blob_key: str


@dataclass(frozen=True)
class StepRecord:
    """A step as an earlier attempt left it."""

    index: int
    kind: StepKind
    name: str
    status: str


@dataclass(frozen=True)
class TakenRun:
    """A run this worker has the lease of, and everything its turn needs.

    Attributes:
        history: entries of earlier turns; `turn_entries` those of this one.
        steps: the steps that earlier attempts wrote.
        cancel_requested: somebody cancelled it while no worker had it, or a retry superseded it.
        kind: its session's, chat or trial.
        replaces: the run that it is a retry of.
        connection: the model that the organisation has chosen; None is the settings' model.
    """

    ref: RunRef
    user_id: UUID
    kind: str
    turn: int
    replaces: UUID | None
    attempt: int
    last_seq: int
    cancel_requested: bool
    usage: JsonObject
    state: JsonObject
    history: list[Entry]
    turn_entries: list[Entry]
    steps: list[StepRecord]
    files: list[SessionFileRef]
    connection: ConnectedModel | None = None

    @property
    def asked(self) -> JsonObject:
        """The user's message."""
        return self.turn_entries[0].content

    @property
    def call(self) -> JsonObject | None:
        """What a trial is to run: `skill`, `action` and `arguments`."""
        return self.asked.get("call")


@dataclass(frozen=True)
class NewMessage:
    """A transcript entry to write."""

    position: int
    role: Role
    content: JsonObject


@dataclass(frozen=True)
class NewFile:
    """An artefact to write, and its name in the session."""

    file_id: UUID
    name: str
    size: int
    sha256: str
    media_type: str
    blob_key: str


@dataclass(frozen=True)
class StartedStep:
    """A step that begins with this commit."""

    index: int
    kind: StepKind
    name: str
    input: JsonObject | None = None


@dataclass(frozen=True)
class FinishedStep:
    """A step that ends with this commit; `output` is what is told of it, `timings` are milliseconds."""

    index: int
    status: StepStatus
    output: JsonObject | None
    timings: JsonObject


@dataclass(frozen=True)
class Ending:
    """How a run ends."""

    status: EndStatus
    usage: JsonObject
    error: JsonObject | None = None


@dataclass
class Boundary:
    """Everything one commit writes for one run.

    Attributes:
        first_seq: the number of its first event.
        model: who answers from now on; None leaves it.
    """

    run: TakenRun
    first_seq: int
    events: list[NewEvent] = field(default_factory=list[NewEvent])
    messages: list[NewMessage] = field(default_factory=list[NewMessage])
    files: list[NewFile] = field(default_factory=list[NewFile])
    finished: FinishedStep | None = None
    started: StartedStep | None = None
    ending: Ending | None = None
    state: JsonObject | None = None
    model: str | None = None

    @property
    def last_seq(self) -> int:
        """The run's newest number after this commit."""
        return self.first_seq + len(self.events) - 1


@dataclass(frozen=True)
class Committed:
    """What a commit found: whether to stop, and whether the session has another run waiting."""

    cancel_requested: bool
    more_waiting: bool
