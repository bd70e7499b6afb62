"""Brings the schema forward; migrations live inside the package."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from raptorflow.core.durable import migrate_engine
from raptorflow.core.errors import DatabaseUnavailable

# Two starters at once must not both migrate; the number only has to be ours.
_MIGRATION_LOCK = 7_246_001


def upgrade(owner_url: str) -> str:
    """Migrate to the newest schema under an advisory lock and return its revision.

    Args:
        owner_url: a login that owns the tables (or may create them).

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    engine = create_engine(owner_url, poolclass=NullPool)
    config = _config()
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    finally:
        engine.dispose()
    migrate_engine(owner_url)
    return newest_revision()


def newest_revision() -> str:
    """The revision that this program's code expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or "none"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "raptorflow:migrations")
    return config
