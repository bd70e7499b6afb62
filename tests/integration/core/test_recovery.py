"""Workers killed with SIGKILL in the middle of steps: each job ends once, no finished step runs again."""

import asyncio
import random
import signal
import sys
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.core.jobs import enqueue
from raptorflow.stack.postgres import PostgresUrls

PROGRAM = Path(__file__).with_name("counting_worker.py")
POLL_SECONDS = 0.02
LIMIT_SECONDS = 90.0
STEPS = 5
LONGEST_LIFE_SECONDS = 0.4


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            if reached():
                return
            await asyncio.sleep(POLL_SECONDS)


class Workers:
    """Worker processes that can be killed and replaced."""

    def __init__(self, url: str, file: Path) -> None:
        self._url, self._file = url, file
        self._running: list[Process] = []

    async def start(self, executor_id: str) -> None:
        """Start a worker and wait until it takes jobs."""
        before = self.lines().count(f"ready {executor_id}")
        arguments = [str(PROGRAM), self._url, executor_id, str(self._file)]
        self._running.append(await asyncio.create_subprocess_exec(sys.executable, *arguments))
        await until(lambda: self.lines().count(f"ready {executor_id}") > before)

    async def kill_oldest(self) -> None:
        worker = self._running.pop(0)
        worker.kill()
        await worker.wait()

    def signal_oldest(self, number: signal.Signals) -> None:
        self._running[0].send_signal(number)

    async def kill_all(self) -> None:
        while self._running:
            await self.kill_oldest()

    def lines(self) -> list[str]:
        return self._file.read_text().splitlines() if self._file.exists() else []


@pytest.fixture
async def workers(migrated_database: PostgresUrls, tmp_path: Path) -> AsyncGenerator[Workers]:
    workers = Workers(migrated_database.app_url, tmp_path / "lines")
    yield workers
    await workers.kill_all()


async def add_job(database: Database, *, refuse: bool = False) -> UUID:
    org_id = new_id()
    async with database.session(org_id) as session:
        return await enqueue(session, org_id=org_id, name="count", payload={"steps": STEPS, "refuse": refuse})


def ends(lines: list[str]) -> set[UUID]:
    """The jobs that have ended."""
    words = [line.split() for line in lines]
    return {UUID(word[1]) for word in words if word[0] == "refused" or word[0::2] == ["after", "last"]}


async def lines_when_ended(workers: Workers, jobs: set[UUID]) -> list[str]:
    await until(lambda: jobs <= ends(workers.lines()))
    return workers.lines()


def assert_finished_steps_ran_once(lines: list[str], jobs: set[UUID], *, late: int = 0) -> int:
    """What is in the journal stays, and what it holds never began again; how many steps were tried twice.

    So many steps may begin `late`: a worker that is stopped between its look at the journal and the
    step's first line begins it when it goes on. What such a step returns never gets into the journal.
    """
    begun: dict[tuple[str, str], list[str]] = defaultdict(list)
    journaled: dict[tuple[str, str], str] = {}
    for line in lines:
        kind, *words = line.split()
        assert kind in {"ready", "begin", "after", "refused"}, line
        if kind != "ready" and UUID(words[0]) not in jobs:
            continue  # A job of an earlier test, whose worker was killed before it could note its end.
        if kind == "begin":
            job, step, token = words
            late -= (job, step) in journaled
            assert late >= 0, f"a finished step began again: {line}"
            begun[job, step].append(token)
        elif kind == "after":
            job, step, token = words
            assert journaled.setdefault((job, step), token) == token, f"the journal changed: {line}"
            assert token in begun[job, step]
    assert {UUID(job) for job, _ in begun} == jobs
    assert {step for _, step in begun} == {*map(str, range(STEPS)), "last"}
    return sum(len(tokens) - 1 for tokens in begun.values())


async def kill_again_and_again(
    workers: Workers, database: Database, kills: int, chance: random.Random
) -> None:
    await workers.start("executor-0")
    jobs = {await add_job(database) for _ in range(12)}
    refused: set[UUID] = set()
    for number in range(1, kills + 1):
        await asyncio.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
        await workers.kill_oldest()
        jobs |= {await add_job(database), await add_job(database)}
        refused.add(await add_job(database, refuse=True))
        # Every other time a stranger takes over: its predecessor's lease has to end first.
        await workers.start(f"executor-{number // 2}")
    lines = await lines_when_ended(workers, jobs | refused)
    await workers.kill_all()
    again = assert_finished_steps_ran_once(lines, jobs | refused)
    print(
        f"{kills} kills, {len(jobs | refused)} jobs, {again} steps begun again after a kill in their middle"
    )
    told = [line.split()[1] for line in lines if line.startswith("refused ")]
    assert {UUID(job) for job in told} == refused


async def test_every_job_ends_and_no_finished_step_runs_again_after_kills_at_random(
    database: Database, workers: Workers
) -> None:
    await kill_again_and_again(workers, database, kills=5, chance=random.Random(5))


@pytest.mark.verify
@pytest.mark.timeout(900)
async def test_the_same_after_fifty_kills(database: Database, workers: Workers) -> None:
    await kill_again_and_again(workers, database, kills=50, chance=random.Random(50))


async def test_of_two_workers_the_other_finishes_what_a_killed_one_began(
    database: Database, workers: Workers
) -> None:
    await workers.start("first")
    jobs = {await add_job(database) for _ in range(4)}
    await until(lambda: any(line.startswith("after") for line in workers.lines()))
    await workers.start("second")
    jobs |= {await add_job(database) for _ in range(4)}
    await workers.kill_oldest()
    lines = await lines_when_ended(workers, jobs)
    assert_finished_steps_ran_once(lines, jobs)


async def test_a_worker_that_was_taken_for_dead_comes_back_and_disturbs_nothing(
    database: Database, workers: Workers
) -> None:
    await workers.start("sleeper")
    jobs = {await add_job(database) for _ in range(4)}
    await until(lambda: any(line.startswith("after") for line in workers.lines()))
    workers.signal_oldest(signal.SIGSTOP)
    await workers.start("other")
    await lines_when_ended(workers, jobs)
    workers.signal_oldest(signal.SIGCONT)
    # It works again, and what it was in the middle of is not journaled a second time.
    later = {await add_job(database) for _ in range(12)}
    lines = await lines_when_ended(workers, jobs | later)
    assert_finished_steps_ran_once(lines, jobs | later, late=len(jobs))


async def test_workers_without_a_name_each_take_one_of_their_own(
    database: Database, workers: Workers
) -> None:
    for _ in range(3):
        await workers.start("-")
    async with database.system_session() as session:
        names = (await session.scalars(text("select executor_id from engine_executors"))).all()
    assert {"worker-1", "worker-2", "worker-3"} <= set(names)
    jobs = {await add_job(database) for _ in range(12)}
    lines = await lines_when_ended(workers, jobs)
    assert assert_finished_steps_ran_once(lines, jobs) == 0
