"""Language models that organisations connect."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from raptorflow.migrations.tenancy import protect

revision = "0005_models"
down_revision = "0004_orchestrator"


def upgrade() -> None:
    """Make the table of the connections."""
    op.create_table(
        "model_connections",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("org_id", UUID, nullable=False, index=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.Column("key_hint", sa.Text),
        sa.Column("chosen", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("test", JSONB),
    )
    # A run is taken with its organisation's one chosen connection; this index is how it is found.
    op.create_index(
        "uq_model_connections_chosen",
        "model_connections",
        ["org_id"],
        unique=True,
        postgresql_where=sa.text("chosen"),
    )
    protect("model_connections")
