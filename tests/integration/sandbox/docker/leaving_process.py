"""A program with a manager of its own, for tests that kill it: leaves one container on an engine.

python leaving_process.py SOCKET SANDBOX_ID running|paused|created
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.integration.sandbox.docker.test_faults import FaultyEngine, Step
from tests.support.docker_engine import blueprint

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings


async def main(socket: Path, sandbox_id: str, state: str) -> None:
    """Bring a container so far, say so on a line, and wait for the end."""
    settings = DockerSettings(socket=socket)
    engine: Any = connect(settings)
    if state == "created":
        engine = FaultyEngine(engine, "start", never)
    driver = DockerDriver(settings, engine)
    handle = await driver.create(blueprint(), sandbox_id, {})
    if state == "paused":
        await driver.pause(handle)
    await reached()


def never(_call: Step) -> Step:
    """It is not come to."""

    async def step(*_given: Any) -> Any:
        await reached()

    return step


async def reached() -> None:
    """So far, and no further."""
    print("there", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
