"""PostgreSQL on its own: made by several at once, and away for a while under a worker that runs."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.errors import DatabaseUnavailable
from raptorflow.core.jobs import JobContext, enqueue
from raptorflow.core.migrate import newest_revision, upgrade
from raptorflow.core.outbox import Event, OutboxRelay, emit
from raptorflow.core.settings import EngineSettings
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.schema import OWNER_URL_VARIABLE

LIMIT_SECONDS = 60.0
LOOK_SECONDS = 0.05


@pytest.fixture(scope="module")
async def server() -> AsyncGenerator[EmbeddedPostgres]:
    """A server that this module may stop, with an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    server = EmbeddedPostgres(folder)
    await server.start()
    yield server
    await server.stop()
    open_place(folder).remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def migrated(server: EmbeddedPostgres) -> PostgresUrls:
    """The empty database migrated by three processes at once."""
    assert server.urls
    environment = {OWNER_URL_VARIABLE: server.urls.owner_url}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "raptorflow.stack.migrate", env=environment, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [(await process.communicate())[0].decode() for process in processes]
    assert said == [f"The schema is at {newest_revision()}.\n"] * 3
    return server.urls


async def test_several_can_migrate_at_once_and_again_later(migrated: PostgresUrls) -> None:
    assert await asyncio.to_thread(upgrade, migrated.owner_url) == newest_revision()
    database = Database(migrated.app_url)
    await database.check()
    async with database.system_session() as session:
        assert await session.scalar(text("select count(*) from jobs")) == 0
        assert await session.scalar(text("select count(*) from dbos.workflow_status")) == 0
    await database.close()


def test_migrating_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        upgrade(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")


class Work:
    """What a worker did."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []

    async def job(self, context: JobContext, payload: JsonObject) -> None:
        name = str(payload["name"])

        async def slowly() -> None:
            self.begun.append(name)
            await asyncio.sleep(LOOK_SECONDS)

        for number in range(10):
            await context.step(f"step-{number}", slowly)
        self.done.append(name)

    async def failed(self, context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        self.done.append(f"failed: {problem}")

    async def news(self, session: AsyncSession, event: Event) -> None:
        self.done.append(str(event.payload["name"]))

    async def until_done(self, name: str) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                if name in self.done:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def until_begun(self, name: str) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                if name in self.begun:
                    return
                await asyncio.sleep(LOOK_SECONDS)


async def add(database: Database, number: int) -> None:
    org_id = new_id()
    async with database.session(org_id) as session:
        await enqueue(session, org_id=org_id, name="job", payload={"name": f"job {number}"})
        await emit(session, org_id=org_id, name="News", payload={"name": f"news {number}"})


async def test_a_worker_outlives_a_restart_of_the_database(
    server: EmbeddedPostgres, migrated: PostgresUrls
) -> None:
    work, database = Work(), Database(migrated.app_url)
    settings = EngineSettings(heartbeat_seconds=0.2, lease_seconds=2.0, poll_seconds=0.5)
    engine, relay = Engine(database, migrated.app_url, settings), OutboxRelay(database, migrated.app_url)
    engine.register("job", work.job, work.failed)
    relay.subscribe("News", work.news)
    await engine.start()
    await relay.start()
    await add(database, 1)
    await work.until_begun("job 1")
    await server.stop()
    with pytest.raises(DatabaseUnavailable):
        await add(database, 2)
    await server.start()
    await add(database, 3)
    for name in ("news 1", "job 1", "news 3", "job 3"):
        await work.until_done(name)
    await relay.stop()
    await engine.stop()
    await database.close()
    assert sorted(work.done) == ["job 1", "job 3", "news 1", "news 3"]
