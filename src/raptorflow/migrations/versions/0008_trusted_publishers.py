"""Repositories whose builds may publish, the provider's tokens they have used, and who built a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from raptorflow.migrations.tenancy import grant, protect

revision = "0008_trusted_publishers"
down_revision = "0007_search_postings"

RULE = ("issuer", "repository", "workflow", "environment", "ref", "skill")


def upgrade() -> None:
    """Make the tables, and the columns that say who built what."""
    op.create_table(
        "trusted_publishers",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("org_id", UUID, nullable=False, index=True),
        sa.Column("user_id", UUID, sa.ForeignKey("users.id", ondelete="cascade"), nullable=False, index=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("issuer", "repository", "workflow")),
        *(sa.Column(name, sa.Text) for name in ("environment", "ref", "owner_id", "skill")),
        sa.UniqueConstraint("org_id", *RULE, postgresql_nulls_not_distinct=True),
    )
    protect("trusted_publishers")
    op.create_index(
        "ix_trusted_publishers_place", "trusted_publishers", ["issuer", sa.text("lower(repository)")]
    )
    op.create_table(
        "build_tokens",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    grant("build_tokens", "select, insert, delete")
    op.add_column("access_tokens", sa.Column("build", JSONB))
    op.create_index(
        "ix_access_tokens_builds",
        "access_tokens",
        ["expires_at"],
        postgresql_where=sa.text("build is not null"),
    )
    op.add_column("publishes", sa.Column("build", JSONB))
    op.add_column("skill_versions", sa.Column("provenance", JSONB))
