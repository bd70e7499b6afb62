"""The orchestrator's tables. PostgreSQL owns the transcript, the steps, the events and their numbers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, not_
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin
from raptorflow.orchestrator.events import RunRef


class Session(Base, IdMixin, CreatedMixin, OrgMixin):
    """A conversation of one user, or the trial of one action.

    Attributes:
        kind: chat or trial.
        turns: how many messages were accepted; the next run's number minus one.
        state: what outlives a turn, `{"skills": [...]}` (see `context/active.py`).
        superseded: the turns that a retry replaced, as a multirange of their numbers. It stands in this row
            so that the row's lock decides whether a worker's commit comes before a retry or after it.
    """

    __tablename__ = "sessions"

    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(default="chat")
    title: Mapped[str]
    turns: Mapped[int] = mapped_column(default=0)
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    superseded: Mapped[Any] = mapped_column(INT4MULTIRANGE, server_default="{}", deferred=True)
    updated_at: Mapped[datetime]


def is_superseded(turn: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """SQL: whether a retry replaced a turn of the joined session."""
    return Session.superseded.op("@>", is_comparison=True)(turn)


def is_live(turn: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """SQL: whether a turn of the joined session still counts."""
    return not_(is_superseded(turn))


class Run(Base, IdMixin, CreatedMixin, OrgMixin):
    """One turn: from a user's message to its answer.

    Attributes:
        status: queued, running, succeeded, failed or cancelled.
        attempt: how many workers have taken it; with `lease_owner` it fences off the earlier ones.
        last_seq: the number of its newest event.
        replaces: the run that the user asked to have done again, if this is a retry.
        state: the session's state as the run found it when it was first taken; a retry goes back to it.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("session_id", "turn"),
        UniqueConstraint("session_id", "idempotency_key"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="cascade"))
    user_id: Mapped[UUID]
    turn: Mapped[int]
    idempotency_key: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    model: Mapped[str | None]
    usage: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]
    attempt: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    replaces: Mapped[UUID | None]
    state: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)

    @property
    def ref(self) -> RunRef:
        """Its ids, as events name it."""
        return RunRef(self.id, self.session_id, self.org_id)


class Message(Base, CreatedMixin, OrgMixin):
    """One entry of the transcript, stored once.

    `content` is `{"text", "files"}` of a user (and `call` of a trial: `{"skill", "action", "arguments"}`),
    pydantic-ai's `ModelResponse` as JSON of an assistant, and `{"tool_call_id", "tool_name", "content"}` of
    a tool.
    """

    __tablename__ = "messages"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="cascade"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    turn: Mapped[int]
    role: Mapped[str]
    content: Mapped[dict[str, Any]]


class RunEvent(Base, CreatedMixin, OrgMixin):
    """A numbered event as clients see it, without its number and the ids of run and session."""

    __tablename__ = "run_events"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="cascade"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]


class RunStep(Base, OrgMixin):
    """One model request or tool call. `started` without `finished` after a crash has an unknown outcome."""

    __tablename__ = "run_steps"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="cascade"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    input: Mapped[dict[str, Any] | None]
    output: Mapped[dict[str, Any] | None]
    status: Mapped[str]
    attempt: Mapped[int]
    timings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class File(Base, IdMixin, CreatedMixin, OrgMixin):
    """An uploaded file, or an artefact that a run made (then `run_id` is set)."""

    __tablename__ = "files"

    user_id: Mapped[UUID]
    run_id: Mapped[UUID | None]
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    media_type: Mapped[str]
    blob_key: Mapped[str]


class SessionFile(Base, OrgMixin):
    """A file in a session, under a name that is unique there."""

    __tablename__ = "session_files"
    __table_args__ = (UniqueConstraint("session_id", "name"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="cascade"), primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id", ondelete="cascade"), primary_key=True)
    name: Mapped[str]
