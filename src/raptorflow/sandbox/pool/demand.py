"""How many sandboxes should be ready: pure arithmetic over the times of requests and of making one."""

import math
from collections import deque
from dataclasses import dataclass

SAMPLES = 64
SHARE = 0.95


class ArrivalRate:
    """Requests a second, averaged with exponentially fading weights.

    Each arrival adds `1 / window` to a rate that fades by `exp(-elapsed / window)`: the estimate of a shot
    noise process, whose mean under a steady stream of arrivals is their rate.

    Args:
        window: seconds after which an arrival counts for 1/e.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._rate = 0.0
        self._seen: float | None = None

    def arrived(self, now: float) -> None:
        """Count a request."""
        self._rate = self.at(now) + 1 / self._window
        self._seen = now if self._seen is None else max(now, self._seen)

    def at(self, now: float) -> float:
        """Requests a second."""
        elapsed = 0.0 if self._seen is None else max(0.0, now - self._seen)
        return self._rate * math.exp(-elapsed / self._window)


class Durations:
    """The last few durations, in seconds."""

    def __init__(self, samples: int = SAMPLES) -> None:
        self._last: deque[float] = deque(maxlen=samples)

    def add(self, seconds: float) -> None:
        """Count one."""
        self._last.append(max(0.0, seconds))

    def p95(self, otherwise: float) -> float:
        """The nearest-rank 95th percentile; `otherwise` while there are none."""
        if not self._last:
            return otherwise
        return sorted(self._last)[math.ceil(SHARE * len(self._last)) - 1]


@dataclass(frozen=True)
class Bounds:
    """How many to keep at least and at most."""

    least: int
    most: int

    def clamp(self, wanted: int) -> int:
        """Within the bounds; the upper one wins."""
        return min(max(self.least, wanted), self.most)


def wanted(rate: float, create_seconds: float, margin: float, bounds: Bounds) -> int:
    """How many to keep ready: those that are asked for while one is made, and a margin.

    With Poisson arrivals the requests during one making have mean and variance `rate * create_seconds`.

    Args:
        rate: requests a second.
        create_seconds: how long making one takes.
        margin: standard deviations above the mean.
        bounds: at least and at most.
    """
    mean = rate * create_seconds
    return bounds.clamp(math.ceil(mean + margin * math.sqrt(mean)))


def shares(wishes: list[int], total: int) -> list[int]:
    """Cut wishes down to a total: the first are served first."""
    left, granted = total, list[int]()
    for wish in wishes:
        given = min(wish, left)
        granted.append(given)
        left -= given
    return granted
