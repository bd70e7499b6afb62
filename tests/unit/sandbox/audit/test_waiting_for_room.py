"""Whoever waits for room in the audit log is told when none will come."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from tests.support.traces import soon

from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.records import Killed, Subject
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.audit.writer import ChainWriter

KILLED = Killed(reason="timeout")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Generator[threading.Event]:
    """A disk that says nothing until it is let, and then that it is full."""
    let = threading.Event()

    def full(*_: object) -> None:
        let.wait()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ChainWriter, "append", full)
    yield let
    let.set()


@pytest.fixture
async def log(answers: threading.Event, tmp_path: Path) -> AsyncGenerator[AuditLog]:
    made = AuditLog(tmp_path, AuditSettings(queue=1, retry_seconds=0.01, close_seconds=0))
    await made.start()
    yield made
    answers.set()
    await made.close()


@pytest.fixture
async def waiting(log: AuditLog) -> AsyncGenerator[list[asyncio.Task[None]]]:
    """Those that bring a record each while one is being written and one more has room."""
    every = [asyncio.create_task(log.add(Subject(sandbox=f"s{number}"), KILLED)) for number in range(4)]
    await soon(lambda: sum(task.done() for task in every) == 2)
    yield [task for task in every if not task.done()]
    for task in every:
        task.cancel()
    await asyncio.gather(*every, return_exceptions=True)


async def test_who_waits_hears_that_the_disk_takes_nothing(
    waiting: list[asyncio.Task[None]], answers: threading.Event
) -> None:
    answers.set()
    await soon(lambda: all(task.done() for task in waiting))
    for task in waiting:
        with pytest.raises(AuditUnavailable, match="No space left"):
            await task


async def test_who_waits_hears_that_the_log_was_closed(
    waiting: list[asyncio.Task[None]], log: AuditLog
) -> None:
    await log.close()
    await soon(lambda: all(task.done() for task in waiting))
    for task in waiting:
        with pytest.raises(AuditUnavailable, match="not open"):
            await task
