"""Kinds of sessions, turns that a retry replaced, and the list of a user's runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, JSONB, UUID

revision = "0006_trials_and_retries"
down_revision = "0005_models"


def upgrade() -> None:
    """Add the columns and indexes. Defaults let a server of the version before go on during an upgrade."""
    op.add_column("sessions", sa.Column("kind", sa.Text, nullable=False, server_default="chat"))
    op.create_check_constraint("kind", "sessions", "kind in ('chat', 'trial')")
    op.add_column(
        "sessions", sa.Column("superseded", INT4MULTIRANGE, nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("runs", sa.Column("replaces", UUID))
    op.add_column("runs", sa.Column("state", JSONB))
    op.drop_index("ix_sessions_of_user", "sessions")
    op.create_index("ix_sessions_of_user", "sessions", ["org_id", "user_id", "kind", "id"])
    op.create_index("ix_runs_of_user", "runs", ["org_id", "user_id", "id"])
