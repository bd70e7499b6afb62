"""An inverted index of words in place of one column of all words.

Row-level security hides rows before a condition may see them, unless the condition's function is leakproof.
That of full text is not, so its index was never used: each search read every text. Equality of text is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from raptorflow.migrations.tenancy import protect

revision = "0007_search_postings"
down_revision = "0006_trials_and_retries"

PUBLIC = "visibility = 'public'"


def upgrade() -> None:
    """Make the table, fill it from the column, and drop the column with its index."""
    op.create_table(
        "search_postings",
        sa.Column("lexeme", sa.Text, primary_key=True),
        sa.Column(
            "skill_id",
            UUID,
            sa.ForeignKey("search_documents.skill_id", ondelete="cascade"),
            primary_key=True,
            index=True,
        ),
        sa.Column("org_id", UUID, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("frequency", sa.Float, nullable=False),
    )
    protect("search_postings", readable=PUBLIC)
    # The owner is held to the tenants' rows too.
    op.execute("select set_config('raptorflow.scope', 'system', true)")
    op.execute("""
        insert into search_postings (lexeme, skill_id, org_id, visibility, length, frequency)
        select u.lexeme, d.skill_id, d.org_id, d.visibility, d.length,
            (select sum(case w when 'A' then 4 when 'B' then 2 else 1 end) from unnest(u.weights) w)
        from search_documents d cross join lateral unnest(d.lexemes) u
    """)
    op.drop_column("search_documents", "lexemes")
