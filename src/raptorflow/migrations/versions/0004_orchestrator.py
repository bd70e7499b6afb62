"""Sessions, runs with their transcript, events and steps, and files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from raptorflow.migrations.tenancy import protect

revision = "0004_orchestrator"
down_revision = "0003_registry"

OPEN_RUNS = sa.text("status in ('queued', 'running')")


def upgrade() -> None:
    """Make the tables of the orchestrator room."""
    _sessions()
    _runs()
    _journal()
    _files()


def _sessions() -> None:
    op.create_table(
        "sessions",
        _id(),
        _created(),
        _org(),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        _time("updated_at", nullable=False),
    )
    op.create_index("ix_sessions_of_user", "sessions", ["org_id", "user_id", "id"])
    protect("sessions")


def _runs() -> None:
    op.create_table(
        "runs",
        _id(),
        _created(),
        _org(),
        _parent("session_id", "sessions"),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("usage", JSONB, nullable=False),
        sa.Column("error", JSONB),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.Text),
        _time("lease_until"),
        _time("started_at"),
        _time("finished_at"),
        sa.UniqueConstraint("session_id", "turn"),
        sa.UniqueConstraint("session_id", "idempotency_key"),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"
        ),
    )
    op.create_index("ix_runs_open", "runs", ["id"], postgresql_where=OPEN_RUNS)
    op.create_index("ix_runs_open_of_session", "runs", ["session_id", "turn"], postgresql_where=OPEN_RUNS)
    # A session's turns run one after the other, whatever the workers do.
    op.create_index(
        "uq_runs_running_of_session",
        "runs",
        ["session_id"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    protect("runs")


def _journal() -> None:
    op.create_table(
        "messages",
        _parent("run_id", "runs", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        _created(),
        _org(index=False),
        sa.Column("session_id", UUID, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
    )
    op.create_index("ix_messages_of_session", "messages", ["session_id", "turn", "position"])
    protect("messages")
    op.create_table(
        "run_events",
        _parent("run_id", "runs", primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        _created(),
        _org(index=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
    )
    protect("run_events")
    op.create_table(
        "run_steps",
        _parent("run_id", "runs", primary_key=True),
        sa.Column("index", sa.Integer, primary_key=True),
        _org(index=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("input", JSONB),
        sa.Column("output", JSONB),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("timings", JSONB, nullable=False),
        _time("started_at", nullable=False),
        _time("finished_at"),
        sa.CheckConstraint("kind in ('model', 'tool')", name="kind"),
        sa.CheckConstraint("status in ('started', 'finished', 'unknown')", name="status"),
    )
    protect("run_steps")


def _files() -> None:
    op.create_table(
        "files",
        _id(),
        _created(),
        _org(),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("run_id", UUID),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("blob_key", sa.Text, nullable=False),
    )
    protect("files")
    op.create_table(
        "session_files",
        _parent("session_id", "sessions", primary_key=True),
        _parent("file_id", "files", primary_key=True),
        _org(index=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("session_id", "name"),
    )
    protect("session_files")


def _id() -> sa.Column[object]:
    return sa.Column("id", UUID, primary_key=True)


def _org(*, index: bool = True) -> sa.Column[object]:
    return sa.Column("org_id", UUID, nullable=False, index=index)


def _parent(name: str, table: str, *, primary_key: bool = False) -> sa.Column[object]:
    target = sa.ForeignKey(f"{table}.id", ondelete="cascade")
    return sa.Column(name, UUID, target, nullable=False, primary_key=primary_key)


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _created() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
