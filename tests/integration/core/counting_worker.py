"""A worker of its own process that runs `count` jobs; each step leaves one line in a file.

python counting_worker.py URL EXECUTOR_ID FILE
"""

import asyncio
import os
import sys
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine, JobContext
from raptorflow.core.settings import EngineSettings

STEP_SECONDS = 0.01


async def main(url: str, executor_id: str, file: Path) -> None:
    database = Database(url, pool_size=5)
    settings = EngineSettings(
        executor_id=executor_id, heartbeat_seconds=0.2, lease_seconds=1.0, poll_seconds=0.5
    )
    engine = Engine(database, url, settings)

    def write(line: str) -> None:
        # One short write to a file opened for appending is atomic: lines of several workers never mix.
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{line}\n".encode())
        os.close(descriptor)

    async def count(context: JobContext, payload: JsonObject) -> None:
        for number in range(int(payload["steps"])):

            async def work(number: int = number) -> str:
                await asyncio.sleep(STEP_SECONDS)
                return f"{context.job_id} {number}"

            # The line is written after the step is journaled, as its own step: both at least once, in order.
            result = await context.step(f"work-{number}", work)
            write(f"after {result}")
        write(f"done {context.job_id}")

    async def failed(context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        write(f"failed {context.job_id} {problem['code']}")

    engine.register("count", count, failed)
    await engine.start()
    write(f"ready {executor_id}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
