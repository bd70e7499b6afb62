"""A pure tier of the session's own, and a short way to run scripts in it."""

import sysconfig
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.monty.confinement import Walls
from raptorflow.sandbox.drivers.monty.engine import MontyWorker
from raptorflow.sandbox.drivers.monty.runner import PureRunner
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import Limits

MakeWorker = Callable[[], Coroutine[Any, Any, MontyWorker]]
RunPure = Callable[..., Coroutine[Any, Any, SandboxResult]]


@pytest.fixture(scope="session")
def bubblewrap() -> Path:
    return bubblewraps(SandboxSettings())[0]


@pytest.fixture(scope="session")
async def pure(bubblewrap: Path) -> AsyncGenerator[PureRunner]:
    runner = PureRunner(bubblewrap, MontySettings())
    yield runner
    await runner.close()


@pytest.fixture
async def make_worker(bubblewrap: Path, tmp_path: Path) -> AsyncGenerator[MakeWorker]:
    """Processes with an interpreter, ended with the test."""
    program = Path(sysconfig.get_path("scripts"), "monty")
    script = Walls(bubblewrap, program, 2**30).write(tmp_path)
    made: list[MontyWorker] = []

    async def make() -> MontyWorker:
        made.append(MontyWorker(script))
        await made[-1].start()
        return made[-1]

    yield make
    for worker in made:
        await worker.stop()


@pytest.fixture
def run_pure(pure: PureRunner) -> RunPure:
    """Run a script; further arguments are the runner's own, and `limits` a mapping."""

    async def run(
        source: str, stdin: bytes = b"", limits: dict[str, float] | None = None, **more: Any
    ) -> SandboxResult:
        given = Limits.model_validate({"timeout_seconds": 10, **(limits or {})})
        return await pure.run(source, stdin, given, **more)

    return run
