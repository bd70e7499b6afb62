"""Users, organisations and everything that proves who somebody is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from raptorflow.migrations.tenancy import grant, protect

revision = "0002_accounts"
down_revision = "0001_core"


def upgrade() -> None:
    """Make the tables of the accounts room."""
    op.create_table(
        "users",
        _id(),
        _created(),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("personal_org_id", UUID, nullable=False),
        _time("tokens_valid_after"),
    )
    grant("users")
    op.create_table(
        "organisations",
        sa.Column("org_id", UUID, primary_key=True),
        _created(),
        sa.Column("slug", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_personal", sa.Boolean, nullable=False),
    )
    protect("organisations")
    op.create_table(
        "memberships",
        _id(),
        _created(),
        _org(),
        _user(),
        sa.Column("role", sa.Text, nullable=False),
        sa.UniqueConstraint("org_id", "user_id"),
        sa.CheckConstraint("role in ('member', 'admin', 'owner')", name="role"),
    )
    protect("memberships")
    op.create_table(
        "invitations",
        _id(),
        _created(),
        _org(),
        sa.Column("invited_by", UUID, sa.ForeignKey("users.id", ondelete="cascade"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("email", "name", "role")),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.CheckConstraint("role in ('member', 'admin', 'owner')", name="role"),
    )
    protect("invitations")
    _proofs()


def _proofs() -> None:
    op.create_table(
        "one_time_links",
        _id(),
        _created(),
        _user(),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        _time("expires_at"),
        _time("used_at", nullable=True),
    )
    grant("one_time_links")
    op.create_table(
        "refresh_tokens",
        _id(),
        _created(),
        _user(),
        sa.Column("active_org_id", UUID, nullable=False),
        sa.Column("family", UUID, nullable=False, index=True),
        sa.Column("parent_id", UUID),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        _time("expires_at"),
        _time("used_at", nullable=True),
        _time("revoked_at", nullable=True),
    )
    grant("refresh_tokens")
    op.create_table(
        "access_tokens",
        _id(),
        _created(),
        _org(),
        _user(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", JSONB, nullable=False),
        _time("expires_at", nullable=True),
        _time("last_used_at", nullable=True),
    )
    protect("access_tokens")
    op.create_table(
        "signing_keys",
        _id(),
        _created(),
        sa.Column("public_jwk", JSONB, nullable=False),
        sa.Column("encrypted_private", sa.Text, nullable=False),
    )
    grant("signing_keys", "select, insert, delete")


def _id() -> sa.Column[object]:
    return sa.Column("id", UUID, primary_key=True)


def _org() -> sa.Column[object]:
    return sa.Column("org_id", UUID, nullable=False, index=True)


def _user() -> sa.Column[object]:
    return sa.Column(
        "user_id", UUID, sa.ForeignKey("users.id", ondelete="cascade"), nullable=False, index=True
    )


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _created() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
