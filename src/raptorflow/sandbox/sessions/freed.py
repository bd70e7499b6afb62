"""Waiting until what was ended has given back what it held."""

import asyncio

from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.running.live import LiveSandbox

FREED_SECONDS = 5.0
LOOK_SECONDS = 0.01


async def freed(sandbox: LiveSandbox) -> None:
    """Wait until nothing is over a limit: a killed process holds its memory for a moment longer.

    Raises:
        SandboxGone: the sandbox has ended, or stays over its limit.
    """
    try:
        async with asyncio.timeout(FREED_SECONDS):
            while True:
                usage = await sandbox.usage()
                if usage.over is None:
                    return
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise SandboxGone("The sandbox is gone: it stayed over a limit.") from None
