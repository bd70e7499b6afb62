"""Time: always aware, always UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


class Stopwatch:
    """Measures elapsed milliseconds on the monotonic clock from its creation."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def elapsed_ms(self) -> float:
        """Milliseconds since creation, rounded to a microsecond."""
        return round((time.perf_counter() - self._started) * 1000, 3)
