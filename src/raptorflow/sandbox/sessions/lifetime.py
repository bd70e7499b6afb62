"""How long a session may live: its hard cap, and its cap on idleness."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Ticks:
    """The clock that sessions live by.

    Attributes:
        now: monotonic seconds.
        sleep: waits for so many seconds of that clock.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep


class Lifetime:
    """Tells when a session is over.

    Args:
        max_seconds: from its beginning, pauses included.
        idle_seconds: without use; what is in use, or paused, is not idle.
        ticks: the clock.
    """

    def __init__(self, max_seconds: float, idle_seconds: float, ticks: Ticks) -> None:
        self._max_seconds, self._idle_seconds = max_seconds, idle_seconds
        self._ticks = ticks
        self._began = self._used = ticks.now()
        self._uses = 0

    def begin_use(self) -> None:
        """It is in use until `end_use`."""
        self._uses += 1

    def end_use(self) -> None:
        """A use is over; with the last one idleness begins."""
        self._uses -= 1
        self._used = self._ticks.now()

    async def over(self) -> str:
        """Wait for its end; the sentence about why."""
        while True:
            now = self._ticks.now()
            left = self._began + self._max_seconds - now
            if left <= 0:
                return f"The session has reached the {self._max_seconds:g} s that one may last."
            idle_left = self._idle_seconds if self._uses else self._used + self._idle_seconds - now
            if idle_left <= 0:
                return f"The session was not used for {self._idle_seconds:g} s."
            await self._ticks.sleep(min(left, idle_left))
