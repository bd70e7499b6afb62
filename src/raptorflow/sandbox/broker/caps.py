"""How much of the network one sandbox gets."""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from raptorflow.sandbox.broker.errors import BytesSpent, TooFast, TooManyConnections
from raptorflow.sandbox.broker.metrics import BYTES_DOWN, BYTES_UP, OPEN
from raptorflow.sandbox.broker.settings import BrokerLimits


class TokenBucket:
    """So many a second, and a burst.

    Args:
        rate: tokens a second.
        burst: tokens at most.
        clock: seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> bool:
        """Whether there was one."""
        self._refill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self) -> float:
        """Take the next one, and say how many seconds it is away."""
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Caps:
    """Counts what a sandbox uses, and stops it there."""

    def __init__(self, limits: BrokerLimits) -> None:
        self._limits = limits
        self._bucket = TokenBucket(limits.connections_per_second, limits.burst)
        self._open = 0
        self.bytes_up = 0
        self.bytes_down = 0

    @contextmanager
    def connection(self) -> Generator[None]:
        """Room for one connection.

        Raises:
            TooManyConnections: there is none.
            TooFast: there was one a moment ago.
        """
        if self._open >= self._limits.connections:
            raise TooManyConnections(
                f"{self._open} connections are open, which is the most a sandbox may have."
            )
        self.request()
        self._open += 1
        OPEN.inc()
        try:
            yield
        finally:
            self._open -= 1
            OPEN.dec()

    def request(self) -> None:
        """One more decision.

        Raises:
            TooFast: too many in a short time.
        """
        if not self._bucket.take():
            raise TooFast(f"A sandbox may open {self._limits.connections_per_second:g} connections a second.")

    async def turn(self) -> None:
        """Wait for the next decision's turn, on a connection that is open already."""
        await asyncio.sleep(self._bucket.reserve())

    def up(self, count: int) -> None:
        """So many bytes came from the sandbox.

        Raises:
            BytesSpent: that is more than it may send.
        """
        self.bytes_up += count
        BYTES_UP.inc(count)
        if self.bytes_up > self._limits.bytes_up:
            raise BytesSpent(f"A sandbox may send {self._limits.bytes_up:,} bytes.")

    def down(self, count: int) -> None:
        """So many bytes are to go to the sandbox.

        Raises:
            BytesSpent: that is more than it may receive.
        """
        self.bytes_down += count
        BYTES_DOWN.inc(count)
        if self.bytes_down > self._limits.bytes_down:
            raise BytesSpent(f"A sandbox may receive {self._limits.bytes_down:,} bytes.")
