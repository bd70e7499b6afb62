"""Stopping by a signal: whatever a command has started is stopped and removed before the command ends."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

EXIT_INTERRUPTED = 130
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_signal(work: Coroutine[Any, Any, None]) -> bool:
    """Run to the end, or until Ctrl-C, SIGTERM or SIGHUP; whether it came to its end.

    A signal cancels the work once: cleaning up takes seconds at most, and a second Ctrl-C must not leave
    processes or folders behind.
    """
    return asyncio.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, None]) -> bool:
    working = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            working.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        await working
    except asyncio.CancelledError:
        if not interrupted:
            raise
        return False
    return True
