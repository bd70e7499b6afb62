"""Jobs in this process: kept with their rows, tried again, refused once, stopped and gone on with."""

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import select, text

from raptorflow.base.errors import InvalidInput, PartUnavailable
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.errors import ExecutorTaken
from raptorflow.core.jobs import Job, JobContext, enqueue
from raptorflow.core.settings import EngineSettings
from raptorflow.stack.postgres import PostgresUrls

LIMIT_SECONDS = 30.0
LOOK_SECONDS = 0.02
DBOS_FOLDER, DBOS_THREADS = "/dbos/", "dbos-executor-"
Start = Callable[[Engine], Awaitable[None]]
MakeEngine = Callable[..., Engine]


async def add(database: Database, name: str, payload: JsonObject | None = None) -> UUID:
    org_id = new_id()
    async with database.session(org_id) as session:
        return await enqueue(session, org_id=org_id, name=name, payload=payload or {})


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            if reached():
                return
            await asyncio.sleep(LOOK_SECONDS)


@pytest.fixture
def engine_threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads that the engine starts; others of this process come and go as they like."""
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def noting(thread: threading.Thread) -> None:
        by_engine = any(DBOS_FOLDER in frame.filename for frame in traceback.extract_stack())
        if by_engine or thread.name.startswith(DBOS_THREADS):
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noting)
    return started


async def no_failure(context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
    pytest.fail(f"The job failed: {problem}")


async def test_a_job_runs_once_its_transaction_has_committed_and_with_what_was_enqueued(
    database: Database, make_engine: MakeEngine, start_engine: Start, job_name: str
) -> None:
    seen: list[tuple[UUID, UUID, JsonObject]] = []

    async def handler(context: JobContext, payload: JsonObject) -> None:
        seen.append((context.job_id, context.org_id, payload))

    engine = make_engine()
    engine.register(job_name, handler, no_failure)
    await start_engine(engine)
    org_id, job_id = new_id(), new_id()
    async with database.session(org_id) as session:
        savepoint = await session.begin_nested()
        await enqueue(session, org_id=org_id, name=job_name, payload={"rolled": "back"})
        await savepoint.rollback()
    async with database.session(org_id) as session:
        await enqueue(session, org_id=org_id, name=job_name, payload={"n": 1}, job_id=job_id)
        assert not seen
    await until(lambda: len(seen) > 0)
    # Several looks later there is still only the one.
    await asyncio.sleep(LOOK_SECONDS)
    assert seen == [(job_id, org_id, {"n": 1})]


async def test_a_part_that_was_away_is_asked_again_and_a_refusal_is_told_once(
    database: Database, make_engine: MakeEngine, start_engine: Start, job_name: str
) -> None:
    calls: list[str] = []

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
        calls.append(f"failed: {problem['code']} {problem['detail']} {problem['hint']}")
        if len(calls) == 5:
            raise PartUnavailable("Where the failure is written does not answer either, at first.")

    engine = make_engine()
    engine.register(job_name, handler, failed)
    await start_engine(engine)
    await add(database, job_name)
    told = "failed: invalid-input No. Say yes."
    await until(lambda: len(calls) == 6)
    assert calls == ["flaky", "flaky", "fine", "refuses", told, told]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PartUnavailable("The disk is full."), (3, "part-unavailable", "The disk is full.")),
        (KeyError("secret"), (1, "unexpected-failure", "The job failed in a way that was not expected.")),
    ],
)
async def test_what_ends_a_job_is_told_to_its_owner(
    database: Database,
    make_engine: MakeEngine,
    start_engine: Start,
    job_name: str,
    error: Exception,
    expected: tuple[int, str, str],
) -> None:
    tried: list[int] = []
    problems: list[JsonObject] = []

    async def handler(context: JobContext, payload: JsonObject) -> None:
        async def work() -> None:
            tried.append(1)
            raise error

        await context.step("work", work)

    async def failed(context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        problems.append(problem)

    engine = make_engine(step_attempts=3)
    engine.register(job_name, handler, failed)
    await start_engine(engine)
    await add(database, job_name)
    await until(lambda: len(problems) > 0)
    assert [(len(tried), problem["code"], problem["detail"]) for problem in problems] == [expected]
    assert "secret" not in str(problems)


async def test_no_more_jobs_run_at_once_than_the_settings_say_and_others_names_wait(
    database: Database, make_engine: MakeEngine, start_engine: Start, job_name: str
) -> None:
    running, most, done = 0, 0, 0
    may_end = asyncio.Event()

    async def handler(context: JobContext, payload: JsonObject) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await may_end.wait()
        running, done = running - 1, done + 1

    engine = make_engine(concurrency=3, poll_seconds=LIMIT_SECONDS)
    engine.register(job_name, handler, no_failure)
    stranger = await add(database, f"{job_name}.of-a-newer-version")
    for _ in range(10):
        await add(database, job_name)
    await start_engine(engine)
    await until(lambda: running == 3)
    may_end.set()
    await until(lambda: done == 10)
    assert most == 3
    async with database.system_session() as session:
        dispatched = await session.scalar(select(Job.dispatched_at).where(Job.id == stranger))
    assert dispatched is None


async def test_a_stopped_engine_leaves_no_thread_and_the_next_one_goes_on_where_it_was(
    database: Database,
    make_engine: MakeEngine,
    start_engine: Start,
    job_name: str,
    engine_threads: list[threading.Thread],
) -> None:
    calls: list[str] = []
    may_end = asyncio.Event()

    async def handler(context: JobContext, payload: JsonObject) -> None:
        async def first() -> str:
            calls.append("first")
            return "kept"

        async def second() -> None:
            calls.append("second")
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                calls.append("cancelled")
                raise

        calls.append(await context.step("first", first))
        await context.step("second", second)
        calls.append("done")

    settings = {"executor_id": f"test-{new_id()}", "stop_seconds": 0.1}
    engine = make_engine(**settings)
    engine.register(job_name, handler, no_failure)
    await engine.start()
    await add(database, job_name)
    await until(lambda: "second" in calls)
    await engine.stop()
    assert calls == ["first", "kept", "second", "cancelled"]
    assert engine_threads
    await until(lambda: not any(thread.is_alive() for thread in engine_threads))
    # DBOS had the loop's threads: others use them again.
    assert await asyncio.to_thread(lambda: "threads") == "threads"

    may_end.set()
    following = make_engine(**settings)
    following.register(job_name, handler, no_failure)
    await start_engine(following)
    await until(lambda: "done" in calls)
    assert calls[4:] == ["kept", "second", "done"]


async def test_a_running_worker_is_not_joined_by_another_of_its_name(
    database: Database, make_engine: MakeEngine, start_engine: Start
) -> None:
    name = f"test-{new_id()}"
    await start_engine(make_engine(executor_id=name))
    with pytest.raises(ExecutorTaken, match=name):
        await make_engine(executor_id=name, lease_seconds=0.3).start()


async def test_a_login_that_owns_the_tables_steps_down(
    database: Database, migrated_database: PostgresUrls, start_engine: Start, job_name: str
) -> None:
    found: list[str] = []
    owner = Database(migrated_database.owner_url, pool_size=2)

    async def handler(context: JobContext, payload: JsonObject) -> None:
        async with owner.session(context.org_id) as session:
            found.append(str(await session.scalar(text("select current_user"))))

    settings = EngineSettings(executor_id=f"test-{new_id()}")
    engine = Engine(owner, migrated_database.owner_url, settings)
    engine.register(job_name, handler, no_failure)
    await start_engine(engine)
    await add(database, job_name)
    await until(lambda: len(found) > 0)
    assert found == ["raptorflow_app"]
    async with owner.system_session() as session:
        journal = "select count(*) from dbos.workflow_status where executor_id = :name"
        assert await session.scalar(text(journal), {"name": settings.executor_id}) == 1
    await owner.close()


async def test_an_engine_stops_although_a_cancellation_was_swallowed(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.11 does in the middle of a query: the loop goes on as if nobody had asked it to end."""
    asking = asyncio.Event()

    async def swallows(*given: object, **named: object) -> list[object]:
        asking.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return []

    engine = make_engine(stop_seconds=0.1)
    monkeypatch.setattr("raptorflow.core.engine.take_waiting", swallows)
    await engine.start()
    async with asyncio.timeout(LIMIT_SECONDS):
        await asking.wait()
        monkeypatch.undo()
        await engine.stop()
