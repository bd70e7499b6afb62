"""The orchestrator's tables come forward with the rows that are in them."""

from collections.abc import Generator
from importlib import import_module

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from raptorflow.base.ids import new_id
from raptorflow.stack.postgres import PostgresUrls

VERSIONS = "raptorflow.migrations.versions"
_SESSION = text("""
insert into sessions (id, org_id, user_id, title, turns, state, updated_at)
values (:id, :id, :id, 'Old', 1, '{"skills": []}', now())
""")
_RUN = text("""
insert into runs (id, org_id, session_id, user_id, turn, idempotency_key, status, usage, attempt, last_seq,
                  cancel_requested)
values (:id, :id, :id, :id, 1, 'k', 'running', '{}', 1, 2, false)
""")
_ROWS = text("""
select s.kind, s.superseded::text, s.superseded @> r.turn, r.replaces, r.state
from runs r join sessions s on s.id = r.session_id
""")
_INDEXES = text("select indexdef from pg_indexes where schemaname = current_schema and indexname = :name")


@pytest.fixture
def elsewhere(migrated_database: PostgresUrls) -> Generator[Connection]:
    """A schema of the test's own, gone with its transaction."""
    engine = create_engine(migrated_database.owner_url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("create schema elsewhere"))
        connection.execute(text("set local search_path to elsewhere, public"))
        connection.execute(text("select set_config('raptorflow.scope', 'system', true)"))
        yield connection
        connection.rollback()
    engine.dispose()


def test_old_sessions_are_chats_and_old_runs_count(elsewhere: Connection) -> None:
    with Operations.context(MigrationContext.configure(elsewhere)):
        import_module(f"{VERSIONS}.0004_orchestrator").upgrade()
        elsewhere.execute(_SESSION, {"id": (session_id := new_id())})
        elsewhere.execute(_RUN, {"id": session_id})
        import_module(f"{VERSIONS}.0006_trials_and_retries").upgrade()
    assert elsewhere.execute(_ROWS).one() == ("chat", "{}", False, None, None)
    for name, columns in (
        ("ix_sessions_of_user", "(org_id, user_id, kind, id)"),
        ("ix_runs_of_user", "(org_id, user_id, id)"),
    ):
        assert str(elsewhere.scalar(_INDEXES, {"name": name})).endswith(columns)
