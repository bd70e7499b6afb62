"""One process on this machine, by a descriptor that means it and no later one with its number."""

import asyncio
import os
import select
import signal
from contextlib import suppress


class Process:
    """A process that runs, or has just ended.

    Args:
        pid: its number.

    Raises:
        OSError: there is no such process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    @property
    def alive(self) -> bool:
        """Whether it runs; also a process that nobody has buried yet has ended."""
        return self._descriptor >= 0 and not select.select([self._descriptor], [], [], 0)[0]

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self._descriptor >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until it has ended."""
        if self._descriptor < 0:
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
