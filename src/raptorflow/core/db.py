"""PostgreSQL: one engine, and transactions that row-level security holds to one organisation.

Every transaction says for whom it works. `session(org_id)` sees that organisation's rows alone;
`system_session()` sees all and is for sign-in, workers and housekeeping. Services never commit:
leaving the `async with` block does.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from raptorflow.core.errors import DatabaseRoleTooStrong, DatabaseUnavailable, DatabaseUrlInvalid

DRIVER = "postgresql+psycopg"
CONNECT_TIMEOUT, CONNECT_SECONDS = "connect_timeout", "10"
APP_ROLE = "raptorflow_app"

_SET_ORG = text("select set_config('raptorflow.org_id', :org_id, true)")
_SET_SYSTEM = text("select set_config('raptorflow.scope', 'system', true)")
_ROLE_IS_TOO_STRONG = text(
    "select rolsuper or rolbypassrls from pg_catalog.pg_roles where rolname = current_user"
)


class Database:
    """A pool of connections as the role that does not own the tables.

    Args:
        url: SQLAlchemy URL with the psycopg driver.
        pool_size: connections kept at most.

    Raises:
        DatabaseUrlInvalid: the URL cannot be read.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        # The role is a start-up option, so that a login that owns the tables steps down for good.
        self.engine = create_async_engine(
            database_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=False,
            connect_args={"options": f"-c role={APP_ROLE}", "prepare_threshold": 2},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def session(self, org_id: UUID) -> AsyncGenerator[AsyncSession]:
        """One transaction that sees and writes the rows of `org_id` alone; commits on leaving.

        Raises:
            DatabaseUnavailable: no connection could be made, or it was lost: nothing was committed, or it
                is not known whether the commit was.
        """
        with _away_is_said():
            async with self._sessions.begin() as session:
                await session.execute(_SET_ORG, {"org_id": str(org_id)})
                yield session

    @asynccontextmanager
    async def system_session(self) -> AsyncGenerator[AsyncSession]:
        """One transaction over all organisations; commits on leaving.

        Raises:
            DatabaseUnavailable: as with `session`.
        """
        with _away_is_said():
            async with self._sessions.begin() as session:
                await session.execute(_SET_SYSTEM)
                yield session

    async def check(self) -> None:
        """Verify that the database answers and that row-level security holds this role.

        Raises:
            DatabaseUnavailable: no connection could be made.
            DatabaseRoleTooStrong: the role is a superuser or bypasses row-level security.
        """
        with _away_is_said():
            async with self._sessions.begin() as session:
                too_strong = (await session.execute(_ROLE_IS_TOO_STRONG)).scalar_one()
        if too_strong:
            raise DatabaseRoleTooStrong("The database role bypasses row-level security.")

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def database_url(text: str) -> URL:
    """A database's URL, with a limit to how long connecting may take when it names none.

    Raises:
        DatabaseUrlInvalid: it cannot be read, or is no URL of PostgreSQL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Without the cause, whose text may hold the password.
        raise DatabaseUrlInvalid("The database's URL cannot be read.") from None
    if url.get_backend_name() != "postgresql":
        raise DatabaseUrlInvalid(f"The database's URL is one of {url.get_backend_name()}, not of PostgreSQL.")
    url = url.set(drivername=DRIVER)
    return url if CONNECT_TIMEOUT in url.query else url.update_query_dict({CONNECT_TIMEOUT: CONNECT_SECONDS})


def database_words(error: DBAPIError) -> str:
    """What the database said, as one line without SQLAlchemy's additions."""
    return " ".join(str(error.orig).split())


@contextmanager
def _away_is_said() -> Generator[None]:
    """Tell a server that is away from one that refuses a statement: that error has a code (SQLSTATE)."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable(
            "Every connection to PostgreSQL is in use.", hint="Raise RAPTORFLOW_DATABASE__POOL_SIZE."
        ) from error
    except OperationalError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) is None:
            raise DatabaseUnavailable(f"PostgreSQL does not answer: {database_words(error)}") from error
        raise
