"""kill -9 of a worker in the middle of turns: every message gets one answer, no finished step runs again."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.models import Message, Run, RunEvent, RunStep
from raptorflow.stack.postgres import PostgresUrls

PROGRAM = Path(__file__).with_name("mortal_worker.py")
QUICK = {"lease_seconds": 1.0, "heartbeat_seconds": 0.3, "poll_seconds": 0.1, "max_attempts": 1000}
READY_SECONDS, END_SECONDS = 30.0, 120.0
LONGEST_LIFE = 0.6
LOOK_SECONDS = 0.1
MESSAGES = 6


class Mortals:
    """Worker processes."""

    def __init__(self, given: JsonObject) -> None:
        self._given = given
        self.alive: list[asyncio.subprocess.Process] = []

    async def start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, PROGRAM, dumps(self._given), stdout=asyncio.subprocess.PIPE
        )
        self.alive.append(process)
        assert process.stdout
        async with asyncio.timeout(READY_SECONDS):
            while not (line := await process.stdout.readline()).startswith(b"ready"):
                assert line, "the worker ended before it was ready"
        return process

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        self.alive.remove(process)
        process.kill()
        await process.wait()


@dataclass
class Begun:
    """A step that some worker began, and when."""

    marker: str
    step: int
    time: float


@pytest.fixture
async def mortals(
    migrated_database: PostgresUrls, valkey_url: str, skill_folder: Path, tmp_path: Path
) -> AsyncGenerator[Callable[..., Mortals]]:
    made: list[Mortals] = []

    def make(**options: Any) -> Mortals:
        given: JsonObject = {
            "database": migrated_database.app_url,
            "valkey": valkey_url,
            "skill": str(skill_folder),
            "blobs": str(tmp_path / "blobs"),
            "notes": str(tmp_path / "notes"),
            "settings": {**QUICK, **options},
        }
        made.append(Mortals(given))
        return made[-1]

    yield make
    for some in made:
        for process in list(some.alive):
            with contextlib.suppress(ProcessLookupError):
                await some.kill(process)


async def crash_and_check(house: Any, mortals: Mortals, notes: Path, kills: int) -> None:
    person = await house.person()
    markers = {await house.session(person): f"m{number}" for number in range(MESSAGES)}
    runs: dict[UUID, str] = {}
    for _ in range(kills):
        for session_id, marker in markers.items():
            name = f"{marker}n{len(runs)}"
            runs[await house.send(person, session_id, name)] = name
        worker = await mortals.start()
        await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
        await mortals.kill(worker)
    await mortals.start()
    await until_all_ended(house, list(runs))
    attempts = [await check_run(house, run_id, marker) for run_id, marker in runs.items()]
    assert max(attempts) > 1
    await check_steps(house, runs, notes)


async def until_all_ended(house: Any, run_ids: list[UUID]) -> None:
    async with asyncio.timeout(END_SECONDS):
        while True:
            async with house.database.system_session() as session:
                open_runs = select(Run.id).where(Run.id.in_(run_ids), Run.status.in_(["queued", "running"]))
                if (await session.execute(open_runs)).first() is None:
                    return
            await asyncio.sleep(LOOK_SECONDS)


async def check_run(house: Any, run_id: UUID, marker: str) -> int:
    async with house.database.system_session() as session:
        run = await session.get_one(Run, run_id)
        events = (await session.scalars(select(RunEvent).where(RunEvent.run_id == run_id))).all()
        messages = (await session.scalars(select(Message).where(Message.run_id == run_id))).all()
    assert run.status == "succeeded", run.error
    assert sorted(event.seq for event in events) == list(range(1, run.last_seq + 1))
    assert [event.type for event in events].count("RUN_FINISHED") == 1
    assert [event.type for event in events].count("TEXT_MESSAGE_END") == 1
    assert [event.type for event in events].count("RUN_STARTED") == 1
    answer = next(event.payload["content"] for event in events if event.type == "TEXT_MESSAGE_END")
    assert answer.split() == [f"{marker}-{number}" for number in range(30)]
    assert sorted(message.position for message in messages) == list(range(8))
    return run.attempt


async def check_steps(house: Any, runs: dict[UUID, str], notes: Path) -> None:
    """No step begins after it was finished, by whichever worker."""
    lines = (await asyncio.to_thread(notes.read_text)).splitlines()
    begun = [Begun(marker, int(step), float(time)) for marker, step, time in map(str.split, lines)]
    async with house.database.system_session() as session:
        steps = (await session.scalars(select(RunStep).where(RunStep.run_id.in_(list(runs))))).all()
    finished = {(runs[step.run_id], step.index): step.finished_at for step in steps}
    assert all(time is not None for time in finished.values())
    assert len(finished) == 7 * len(runs)
    for note in begun:
        end = finished[note.marker, note.step]
        assert end is not None
        assert note.time <= end.timestamp(), f"{note} began again after {end}"


async def test_killed_workers_lose_and_double_nothing(house: Any, mortals: Any, tmp_path: Path) -> None:
    await crash_and_check(house, mortals(), tmp_path / "notes", kills=5)


@pytest.mark.verify
@pytest.mark.timeout(900)
async def test_fifty_killed_workers_lose_and_double_nothing(house: Any, mortals: Any, tmp_path: Path) -> None:
    await crash_and_check(house, mortals(), tmp_path / "notes", kills=50)


async def test_a_run_that_kills_every_worker_is_given_up(house: Any, mortals: Any) -> None:
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "poison")
    some: Mortals = mortals(max_attempts=1)
    worker = await some.start()
    await until_taken(house, run_id)
    await some.kill(worker)
    await some.start()
    await until_all_ended(house, [run_id])
    run = await house.run_of(person, run_id)
    assert run["attempt"] == 2
    assert run["status"] == "failed"
    assert run["error"]["code"] == "run-abandoned"


async def until_taken(house: Any, run_id: UUID) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            async with house.database.system_session() as session:
                if (await session.get_one(Run, run_id)).attempt:
                    return
