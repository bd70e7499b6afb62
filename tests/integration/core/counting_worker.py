"""A worker of its own process for tests that kill it: what its steps do is a line each in a file.

python counting_worker.py URL EXECUTOR_ID FILE ('-' lets the worker choose its id)

    begin JOB STEP TOKEN    a step begins; each try has a token of its own
    after JOB STEP TOKEN    the step is in the journal, with the token of the try that is
    refused JOB TOKEN       the job's owner was told that it failed
    error ...               what must not happen
"""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import text

from raptorflow.base.errors import InvalidInput
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.jobs import JobContext
from raptorflow.core.settings import EngineSettings, TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry

STEP_SECONDS = 0.05


class Lines:
    """A file that several processes append to."""

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def add(self, *words: object) -> None:
        # One short write to a file opened for appending is atomic: lines of several workers never mix.
        os.write(self._descriptor, (" ".join(map(str, words)) + "\n").encode())


class Counting:
    """Jobs of `steps` steps; with `refuse` the last step is refused."""

    def __init__(self, database: Database, lines: Lines) -> None:
        self._database, self._lines = database, lines
        self._loop = asyncio.get_running_loop()

    async def run(self, context: JobContext, payload: JsonObject) -> None:
        if asyncio.get_running_loop() is not self._loop:
            self._lines.add("error", context.job_id, "runs on a loop that is not the worker's")
        for number in range(int(payload["steps"])):
            await self._step(context, str(number), refuse=False)
        await self._step(context, "last", refuse=bool(payload["refuse"]))

    async def failed(self, context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        del payload
        self._lines.add("refused" if problem["code"] == "invalid-input" else "error", context.job_id, problem)

    async def _step(self, context: JobContext, name: str, *, refuse: bool) -> None:
        async def work() -> str:
            token = str(new_id())
            self._lines.add("begin", context.job_id, name, token)
            async with self._database.session(context.org_id) as session:
                await session.execute(text("select pg_sleep(:seconds)"), {"seconds": STEP_SECONDS})
            if refuse:
                raise InvalidInput("No.")
            return token

        token = await context.step(name, work)
        self._lines.add("after", context.job_id, name, token)


async def main(url: str, executor_id: str, file: Path) -> None:
    lines, database = Lines(file), Database(url, pool_size=5)
    settings = EngineSettings(
        executor_id=None if executor_id == "-" else executor_id,
        heartbeat_seconds=0.2,
        lease_seconds=1.5,
        poll_seconds=0.5,
        concurrency=4,
        pool_size=4,
    )
    engine = Engine(database, url, settings)
    counting = Counting(database, lines)
    engine.register("count", counting.run, counting.failed)
    await engine.start()
    lines.add("ready", executor_id)
    await asyncio.Event().wait()


if __name__ == "__main__":
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="tests")
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
