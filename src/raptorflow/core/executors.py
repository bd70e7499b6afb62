"""Which workers live: a name held by a lock, a heartbeat row each, and taking over from one that stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count

import psycopg
from sqlalchemy import text

from raptorflow.base.clock import Stopwatch
from raptorflow.core.db import Database
from raptorflow.core.errors import ExecutorTaken
from raptorflow.core.settings import EngineSettings
from raptorflow.core.wakeup import connect

AGAIN_SECONDS = 0.2
# A session's lock: it ends with the process that holds it, however that ends.
_LOCK = "select pg_try_advisory_lock(hashtextextended('raptorflow executor ' || %s, 0))"
_BEAT = (
    "insert into engine_executors (executor_id, beaten_at) values (%s, now()) "
    "on conflict (executor_id) do update set beaten_at = now()"
)
_RETIRE = "update engine_executors set beaten_at = '-infinity' where executor_id = %s"
# Of several workers that notice, one gets the row.
_DEAD = text(
    "select executor_id from engine_executors where executor_id <> :own "
    "and beaten_at < now() - make_interval(secs => :lease_seconds) "
    "order by executor_id for update skip locked"
)
# A row stays while anything is left: work of another application version waits for a worker of that version.
_FORGET = text(
    "delete from engine_executors where executor_id = any(:executor_ids) and not exists "
    "(select from dbos.workflow_status as w where w.executor_id = engine_executors.executor_id "
    "and w.status = 'PENDING')"
)

Recover = Callable[[Sequence[str]], Awaitable[Sequence[str]]]


class Executor:
    """This worker among the others.

    Args:
        database: where the heartbeats are.
        url: the same database's URL, for a connection that holds the name.
        settings: the wanted name, how often to beat, and when a silent one is dead.
    """

    def __init__(self, database: Database, url: str, settings: EngineSettings) -> None:
        self._database = database
        self._url = url
        self._settings = settings
        self._connection: psycopg.AsyncConnection | None = None
        self._since_beat = Stopwatch()
        self._since_silence: Stopwatch | None = None
        self.name = settings.executor_id or ""

    @property
    def holds_name(self) -> bool:
        """Whether no other worker can have this one's name."""
        return self._connection is not None and not self._connection.closed

    async def enter(self) -> str:
        """Take a name, the settings' or the first free `worker-<n>`, and beat.

        Raises:
            ExecutorTaken: another worker has that name, and keeps it for longer than the lease.
        """
        connection = await connect(self._url)
        async for name in self._candidates():
            if await _lock(connection, name):
                self._connection, self.name = connection, name
                await self.beat()
                return name
        await connection.close()
        raise ExecutorTaken(f"Another worker runs as {self._settings.executor_id}.")

    async def beat(self) -> None:
        """Say that this worker lives; take its name again when the connection was lost meanwhile.

        Raises:
            ExecutorTaken: another worker took the name.
        """
        if self._connection is None or self._connection.closed:
            connection = await connect(self._url)
            if not await _lock(connection, self.name):
                await connection.close()
                raise ExecutorTaken(f"Another worker runs as {self.name} now.")
            self._connection = connection
        await self._connection.execute(_BEAT, [self.name])
        if self._since_beat.elapsed_ms() > self._lease_ms:
            self._since_silence = Stopwatch()
        self._since_beat = Stopwatch()

    async def take_over(self, recover: Recover) -> Sequence[str]:
        """Hand dead executors to `recover`, each to one worker; what it recovered."""
        # The database was away, and so all were silent: give them the time to say that they live.
        if self._since_silence and self._since_silence.elapsed_ms() < self._lease_ms:
            return []
        async with self._database.system_session() as session:
            whom = {"own": self.name, "lease_seconds": self._settings.lease_seconds}
            dead = list((await session.scalars(_DEAD, whom)).all())
            if not dead:
                return []
            # Should this worker die here, the rows are still there and another one takes over.
            recovered = await recover(dead)
            await session.execute(_FORGET, {"executor_ids": dead})
        return recovered

    async def leave(self) -> None:
        """Give the name back; what is unfinished need not wait for the lease to end."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        try:
            await connection.execute(_RETIRE, [self.name])
        finally:
            await connection.close()

    @property
    def _lease_ms(self) -> float:
        return self._settings.lease_seconds * 1000

    async def _candidates(self) -> AsyncIterator[str]:
        wanted, waited = self._settings.executor_id, Stopwatch()
        if wanted is None:
            for number in count(1):
                yield f"worker-{number}"
            return
        # A killed worker's connection may outlive it by a moment.
        while waited.elapsed_ms() < self._lease_ms:
            yield wanted
            await asyncio.sleep(AGAIN_SECONDS)


async def _lock(connection: psycopg.AsyncConnection, name: str) -> bool:
    row = await (await connection.execute(_LOCK, [name])).fetchone()
    return row is not None and bool(row[0])
