"""The journal: step boundaries, committed together when they arrive together.

One statement is in flight at a time. A boundary that finds the journal idle is written at once; those that
arrive meanwhile share the next commit. So a lone turn waits for nobody, and a hundred turns share an fsync.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError

from raptorflow.core.db import Database
from raptorflow.core.errors import DatabaseUnavailable
from raptorflow.core.telemetry import logger
from raptorflow.orchestrator.errors import JournalUnavailable, LeaseLost
from raptorflow.orchestrator.runs.records import Boundary, Committed
from raptorflow.orchestrator.runs.repository import RunsRepository

log = logger(__name__)

MOST_AT_ONCE = 64
_AWAY = (DatabaseUnavailable, OperationalError, InterfaceError, OSError)

_Waiting = tuple[Boundary, "asyncio.Future[Committed]"]


class Journal:
    """Writes boundaries for one worker.

    Args:
        database: where to.
        owner: the worker's name; it writes only to runs that it holds.
    """

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def commit(self, boundary: Boundary) -> Committed:
        """Write one boundary and return when it is durable.

        Raises:
            LeaseLost: another worker has the run now; nothing was written.
            JournalUnavailable: PostgreSQL does not answer.
        """
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting.append((boundary, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._write_batch(batch)
        finally:
            self._writer = None

    async def _write_batch(self, batch: list[_Waiting]) -> None:
        try:
            written = await self._store([boundary for boundary, _ in batch])
        except Exception as error:
            await self._not_written(batch, error)
            return
        for boundary, done in batch:
            run_id = boundary.run.ref.run_id
            lost = LeaseLost(f"Run {run_id} has been taken over by another worker, or deleted.")
            _settle(done, written.get(run_id, lost))

    async def _not_written(self, batch: list[_Waiting], error: Exception) -> None:
        if isinstance(error, _AWAY):
            for _, done in batch:
                _settle(done, JournalUnavailable(f"PostgreSQL does not answer: {_first_line(error)}"))
        elif len(batch) == 1:
            log.error("step refused", run_id=str(batch[0][0].run.ref.run_id), error=_first_line(error))
            _settle(batch[0][1], error)
        else:
            # One run's trouble is not the others'.
            for waiting in batch:
                await self._write_batch([waiting])

    async def _store(self, boundaries: Sequence[Boundary]) -> dict[UUID, Committed]:
        async with self._database.system_session() as session:
            return await RunsRepository(session, self._owner).commit(boundaries)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _settle(done: "asyncio.Future[Committed]", outcome: Committed | Exception) -> None:
    if done.done():
        return
    if isinstance(outcome, Committed):
        done.set_result(outcome)
    else:
        done.set_exception(outcome)
