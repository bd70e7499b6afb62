"""Wake-up calls through PostgreSQL's NOTIFY: sent with the transaction, lost without harm."""

import asyncio

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

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


class Wakeup:
    """Waits for calls on a channel, over one connection of its own.

    Args:
        url: SQLAlchemy URL of the database.
        channel: the channel's name (trusted, not quoted).
    """

    def __init__(self, url: str, channel: str) -> None:
        self._url = plain_url(url)
        self._channel = channel
        self._called = asyncio.Event()

    async def listen(self) -> None:
        """Set the event at each call; reconnects for ever, until cancelled."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._channel)))
                    self._called.set()
                    async for _ in connection.notifies():
                        self._called.set()
            except psycopg.OperationalError as error:
                log.warning("listening was interrupted", channel=self._channel, error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def wait(self, seconds: float) -> None:
        """Return at the next call, or after `seconds`."""
        try:
            await asyncio.wait_for(self._called.wait(), seconds)
        except TimeoutError:
            return
        self._called.clear()
