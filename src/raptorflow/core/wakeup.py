"""Wake-up calls through PostgreSQL's NOTIFY: sent with the transaction, lost without harm."""

import asyncio

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.core.db import APP_ROLE
from raptorflow.core.telemetry import logger

log = logger(__name__)

RECONNECT_SECONDS = 1.0
_NOTIFY = text("select pg_notify(:channel, '')")


async def notify(session: AsyncSession, channel: str) -> None:
    """Wake whoever waits on a channel, once the transaction commits."""
    await session.execute(_NOTIFY, {"channel": channel})


def plain_url(url: str) -> str:
    """A SQLAlchemy URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def connect(url: str) -> psycopg.AsyncConnection:
    """A connection outside the pool, in autocommit, as the program's role.

    Raises:
        psycopg.OperationalError: PostgreSQL does not answer.
    """
    return await psycopg.AsyncConnection.connect(
        plain_url(url), autocommit=True, options=f"-c role={APP_ROLE}"
    )


class Wakeup:
    """Waits for calls on a channel, over one connection of its own.

    Args:
        url: SQLAlchemy URL of the database.
        channel: the channel's name (trusted, not quoted).
    """

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._called = asyncio.Event()

    async def listen(self) -> None:
        """Set the event at each call; reconnects for ever, until cancelled."""
        while True:
            try:
                async with await connect(self._url) as connection:
                    await connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._channel)))
                    self.call()
                    async for _ in connection.notifies():
                        self.call()
            except psycopg.Error as error:
                log.warning("listening was interrupted", channel=self._channel, error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    def call(self) -> None:
        """Wake whoever waits in this process."""
        self._called.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next call, or after `seconds`."""
        try:
            await asyncio.wait_for(self._called.wait(), seconds)
        except TimeoutError:
            return
        self._called.clear()
