"""The program's role, the job queue's intake and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from raptorflow.migrations.tenancy import APP_ROLE, grant, protect

revision = "0001_core"
down_revision: str | None = None

MAKE_ROLE = f"""
do $$ begin
    if not exists (select from pg_catalog.pg_roles where rolname = '{APP_ROLE}') then
        create role {APP_ROLE} nologin;
    end if;
    if current_user <> '{APP_ROLE}' and not pg_has_role(current_user, '{APP_ROLE}', 'member') then
        execute format('grant {APP_ROLE} to %I', current_user);
    end if;
end $$
"""


def upgrade() -> None:
    """Make the role first: every later migration grants to it."""
    op.execute(MAKE_ROLE)
    op.execute("create extension if not exists vector")
    op.execute(f"grant usage on schema public to {APP_ROLE}")
    op.create_table(
        "jobs",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("org_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_jobs_waiting", "jobs", ["id"], postgresql_where=sa.text("dispatched_at is null"))
    protect("jobs")
    op.create_table(
        "outbox",
        sa.Column("id", UUID(as_uuid=True), primary_key=True),
        sa.Column("org_id", UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["id"], postgresql_where=sa.text("delivered_at is null"))
    protect("outbox")
    op.create_table(
        "engine_executors",
        sa.Column("executor_id", sa.Text, primary_key=True),
        sa.Column("beaten_at", sa.DateTime(timezone=True), nullable=False),
    )
    grant("engine_executors")
