"""A program with a pure tier of its own, for a test that kills it: runs a script that never ends."""

import asyncio

from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.monty.runner import PureRunner
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import Limits


async def main() -> None:
    """Say that it begins, and run."""
    runner = PureRunner(bubblewraps(SandboxSettings())[0], MontySettings())
    await runner.run("1", b"", Limits())
    print("running", flush=True)
    await runner.run("while True: pass", b"", Limits())


if __name__ == "__main__":
    asyncio.run(main())
