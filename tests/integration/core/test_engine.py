"""Durable jobs and the outbox on a real database: kept, run once, recovered after kill -9."""

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.errors import InvalidInput, PartUnavailable
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine, JobContext
from raptorflow.core.jobs import enqueue
from raptorflow.core.outbox import Event, OutboxRelay, emit
from raptorflow.core.settings import EngineSettings
from raptorflow.stack.postgres import PostgresUrls

PROGRAM = Path(__file__).with_name("counting_worker.py")
POLL_SECONDS = 0.02
LIMIT_SECONDS = 60.0
STEPS = 5


@pytest.fixture
async def database(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    database = Database(migrated_database.app_url, pool_size=5)
    yield database
    await database.close()


async def add_count(database: Database, steps: int = STEPS) -> UUID:
    org_id = new_id()
    async with database.session(org_id) as session:
        return await enqueue(session, org_id=org_id, name="count", payload={"steps": steps})


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


async def lines_until(file: Path, wanted: set[str]) -> list[str]:
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            lines = lines_of(file)
            if wanted <= set(lines):
                return lines
            await asyncio.sleep(POLL_SECONDS)


class Workers:
    """Worker processes that can be killed and replaced."""

    def __init__(self, url: str, file: Path) -> None:
        self._url, self.file, self._started = url, file, 0
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, executor_id: str) -> None:
        command = [sys.executable, str(PROGRAM), self._url, executor_id, str(self.file)]
        self.running.append(subprocess.Popen(command))

    def kill(self) -> None:
        worker = self.running.pop(0)
        worker.kill()
        worker.wait()


async def kill_and_recover(workers: Workers, database: Database, kills: int, chance: random.Random) -> None:
    workers.start("executor-0")
    await lines_until(workers.file, {"ready executor-0"})
    jobs = [await add_count(database) for _ in range(10)]
    for number in range(1, kills + 1):
        await asyncio.sleep(chance.uniform(0, 0.2))
        workers.kill()
        # Every other time a stranger takes over: its predecessor's lease has to end first.
        workers.start(f"executor-{number // 2}")
        jobs.append(await add_count(database))
    lines = await lines_until(workers.file, {f"done {job}" for job in jobs})
    workers.kill()
    steps = Counter(line for line in lines if line.startswith("after "))
    assert set(steps) == {f"after {job} {number}" for job in jobs for number in range(STEPS)}


async def test_every_job_is_finished_after_kills_at_random(
    database: Database, migrated_database: PostgresUrls, tmp_path: Path
) -> None:
    workers = Workers(migrated_database.app_url, tmp_path / "lines")
    await kill_and_recover(workers, database, kills=5, chance=random.Random(5))


@pytest.mark.verify
@pytest.mark.timeout(900)
async def test_every_job_is_finished_after_fifty_kills(
    database: Database, migrated_database: PostgresUrls, tmp_path: Path
) -> None:
    workers = Workers(migrated_database.app_url, tmp_path / "lines")
    await kill_and_recover(workers, database, kills=50, chance=random.Random(50))


async def test_jobs_wait_for_their_transaction_retry_what_is_transient_and_fail_once(
    database: Database, migrated_database: PostgresUrls
) -> None:
    url = migrated_database.app_url
    engine = Engine(database, url, EngineSettings(executor_id=f"test-{new_id()}"))
    calls: list[str] = []
    over = asyncio.Event()

    async def handler(context: JobContext, payload: JsonObject) -> None:
        async def flaky() -> str:
            calls.append("flaky")
            if len(calls) == 1:
                raise PartUnavailable("Not yet.")
            return "fine"

        async def refuses() -> None:
            calls.append("refuses")
            raise InvalidInput("No.", hint="Say yes.")

        calls.append(await context.step("flaky", flaky))
        await context.step("refuses", refuses)

    async def failed(context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        calls.append(f"failed: {problem['detail']} {problem['hint']}")
        over.set()

    engine.register("flaky", handler, failed)
    await engine.start()
    org_id = new_id()
    try:
        async with database.session(org_id) as session, session.begin_nested() as savepoint:
            await enqueue(session, org_id=org_id, name="flaky", payload={})
            await savepoint.rollback()
        async with database.session(org_id) as session:
            await enqueue(session, org_id=org_id, name="flaky", payload={})
        async with asyncio.timeout(LIMIT_SECONDS):
            await over.wait()
    finally:
        await engine.stop()
    assert calls == ["flaky", "flaky", "fine", "refuses", "failed: No. Say yes."]


async def test_news_is_delivered_once_and_a_failing_subscriber_is_asked_again(
    database: Database, migrated_database: PostgresUrls
) -> None:
    relay = OutboxRelay(database, migrated_database.app_url)
    name, seen = f"Happened-{new_id()}", list[str]()
    done = asyncio.Event()

    async def subscriber(session: AsyncSession, event: Event) -> None:
        seen.append(str(event.payload["n"]))
        if seen == ["1"]:
            raise LookupError("once")
        if len(seen) == 3:
            done.set()

    relay.subscribe(name, subscriber)
    await relay.start()
    org_id = new_id()
    async with database.session(org_id) as session:
        await emit(session, org_id=org_id, name=name, payload={"n": 1})
        await emit(session, org_id=org_id, name=name, payload={"n": 2})
    async with asyncio.timeout(LIMIT_SECONDS):
        await done.wait()
    await relay.stop()
    assert seen == ["1", "2", "1"]
