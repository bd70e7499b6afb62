"""Skills, versions, publishes, installations and what is searched."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR, UUID

from raptorflow.migrations.tenancy import grant, protect

revision = "0003_registry"
down_revision = "0002_accounts"

PUBLIC = "visibility = 'public'"


def upgrade() -> None:
    """Make the tables of the registry."""
    op.create_table(
        "skills",
        *_tenant_columns(),
        *_texts("namespace", "name", "visibility", "latest_version", "description"),
        sa.UniqueConstraint("namespace", "name"),
    )
    protect("skills", readable=PUBLIC)
    op.create_table(
        "skill_versions",
        *_tenant_columns(),
        _skill(),
        *_texts("visibility", "version", "digest", "description"),
        *_json("files", "capabilities", "actions"),
        sa.Column("lock_digest", sa.Text),
        sa.Column("published_by", UUID),
        sa.UniqueConstraint("skill_id", "version"),
    )
    protect("skill_versions", readable=PUBLIC)
    _publishes()
    op.create_table(
        "installations",
        *_tenant_columns(),
        _skill(),
        sa.Column("version_id", UUID, sa.ForeignKey("skill_versions.id"), nullable=False),
        *_json("granted"),
        sa.Column("installed_by", UUID),
        sa.UniqueConstraint("org_id", "skill_id"),
    )
    protect("installations")
    _search()


def _publishes() -> None:
    op.create_table(
        "publishes",
        *_tenant_columns(),
        sa.Column("user_id", UUID),
        *_texts("visibility", "archive_key", "status"),
        sa.Column("install", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("idempotency_key", "step", "skill", "version", "digest")),
        sa.Column("problem", JSONB),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("org_id", "idempotency_key"),
    )
    protect("publishes")


def _search() -> None:
    op.create_table(
        "search_documents",
        sa.Column("skill_id", UUID, sa.ForeignKey("skills.id", ondelete="cascade"), primary_key=True),
        sa.Column("org_id", UUID, nullable=False, index=True),
        *_texts("visibility"),
        sa.Column("lexemes", TSVECTOR, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("embedding", Vector(384), nullable=False),
    )
    op.create_index("ix_search_lexemes", "search_documents", ["lexemes"], postgresql_using="gin")
    op.create_index(
        "ix_search_embedding",
        "search_documents",
        ["embedding"],
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    protect("search_documents", readable=PUBLIC)
    # In how many documents a word stands: BM25 needs it, and counting at each search would not scale.
    op.create_table(
        "search_terms",
        sa.Column("lexeme", sa.Text, primary_key=True),
        sa.Column("documents", sa.Integer, nullable=False),
    )
    grant("search_terms")
    op.create_table(
        "search_totals",
        sa.Column("only", sa.Boolean, primary_key=True),
        sa.Column("documents", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
    )
    grant("search_totals")
    op.execute("insert into search_totals values (true, 0, 0)")


def _tenant_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("id", UUID, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("org_id", UUID, nullable=False, index=True),
    ]


def _skill() -> sa.Column[object]:
    return sa.Column(
        "skill_id", UUID, sa.ForeignKey("skills.id", ondelete="cascade"), nullable=False, index=True
    )


def _texts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, JSONB, nullable=False) for name in names]
