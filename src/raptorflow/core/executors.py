"""Which workers live: a heartbeat row each, and the taking over of one that stopped."""

from collections.abc import Sequence

from sqlalchemy import text

from raptorflow.core.db import Database

_BEAT = text(
    "insert into engine_executors (executor_id, beaten_at) values (:executor_id, now()) "
    "on conflict (executor_id) do update set beaten_at = now()"
)
# Deleting the row is taking over: of several workers that notice, one gets it.
_TAKE_OVER = text(
    "delete from engine_executors where executor_id in (select executor_id from engine_executors "
    "where beaten_at < now() - make_interval(secs => :lease_seconds) for update skip locked) "
    "returning executor_id"
)


async def beat(database: Database, executor_id: str) -> None:
    """Say that an executor lives."""
    async with database.system_session() as session:
        await session.execute(_BEAT, {"executor_id": executor_id})


async def take_over_dead(database: Database, lease_seconds: float) -> Sequence[str]:
    """The executors that have not been heard of for longer than the lease; each is given out once."""
    async with database.system_session() as session:
        found = await session.execute(_TAKE_OVER, {"lease_seconds": lease_seconds})
        return [str(executor_id) for (executor_id,) in found]
