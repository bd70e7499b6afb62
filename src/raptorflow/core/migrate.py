"""Brings the schema forward; migrations live inside the package."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from raptorflow.core.db import database_url, database_words
from raptorflow.core.durable import migrate_engine
from raptorflow.core.errors import DatabaseUnavailable, MigrationFailed, MigrationRefused

# Two starters at once must not both migrate; the number only has to be ours.
_MIGRATION_LOCK = 7_246_001
AGAIN_SECONDS = 0.2


def upgrade(owner_url: str) -> str:
    """Migrate to the newest schema under an advisory lock and return its revision.

    Args:
        owner_url: a login that owns the tables (or may create them).

    Raises:
        DatabaseUrlInvalid: the URL cannot be read.
        DatabaseUnavailable: the database does not answer.
        MigrationRefused: the login may not do this.
        MigrationFailed: a statement failed.
    """
    engine = create_engine(database_url(owner_url), poolclass=NullPool)
    config = _config()
    try:
        with _alone(engine):
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            migrate_engine(owner_url)
    except OperationalError as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {database_words(error)}") from error
    except DBAPIError as error:
        refused = isinstance(error.orig, InsufficientPrivilege)
        reason = MigrationRefused if refused else MigrationFailed
        raise reason(f"The schema could not be brought forward: {database_words(error)}") from error
    finally:
        engine.dispose()
    return newest_revision()


@contextmanager
def _alone(engine: Engine) -> Generator[None]:
    """Hold the migration lock; no transaction is open meanwhile, also not of one that waits.

    The engine's migrations build indexes concurrently, and those wait for every transaction that is older.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _MIGRATION_LOCK}):
            time.sleep(AGAIN_SECONDS)
        yield


def newest_revision() -> str:
    """The revision that this program's code expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or "none"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "raptorflow:migrations")
    return config
