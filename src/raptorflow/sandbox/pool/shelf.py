"""One kind of ready sandboxes: those that wait, how many there should be, and how making them goes."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from raptorflow.sandbox.pool.demand import ArrivalRate, Bounds, Durations, wanted
from raptorflow.sandbox.pool.settings import PoolSettings

Member = TypeVar("Member")

LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True)
class Ready(Generic[Member]):
    """A sandbox that waits, and since when."""

    member: Member
    since: float


class Shelf(Generic[Member]):
    """The ready sandboxes of one key, oldest first.

    Args:
        settings: bounds and times.
        clock: monotonic seconds.
    """

    def __init__(self, settings: PoolSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._rate = ArrivalRate(settings.window_seconds)
        self._created = Durations()
        self._pauses = 0
        self._paused_until = 0.0
        self._said: str | None = None
        self.waiting: deque[Ready[Member]] = deque()
        self.making = 0
        self.target = 0
        self.asked = clock()

    def ask(self) -> None:
        """Count a claim."""
        self.asked = self._clock()
        self._rate.arrived(self.asked)

    def observe(self, seconds: float) -> None:
        """Count how long making one took."""
        self._created.add(seconds)

    def wish(self) -> int:
        """How many it would like to have ready; none when nobody asked for long."""
        now = self._clock()
        if now - self.asked > self._settings.idle_seconds:
            return 0
        bounds = Bounds(self._settings.min_ready, self._settings.max_ready)
        create = self._created.p95(otherwise=1.0)
        return wanted(self._rate.at(now), create, self._settings.margin, bounds)

    @property
    def missing(self) -> int:
        """How many should be made now."""
        paused = self._clock() < self._paused_until
        return 0 if paused else max(0, self.target - len(self.waiting) - self.making)

    def is_old(self, ready: Ready[Member]) -> bool:
        """Whether it has waited too long to be used."""
        return self._clock() - ready.since > self._settings.max_age_seconds

    def put(self, member: Member, took: float) -> None:
        """One was made, in so many seconds."""
        self._pauses, self._paused_until, self._said = 0, 0.0, None
        self.observe(took)
        self.waiting.append(Ready(member, self._clock()))

    def failed(self, reason: str) -> bool:
        """None could be made: wait longer each time. Whether this reason is news."""
        pause = min(LONGEST_PAUSE_SECONDS, self._settings.retry_seconds * 2**self._pauses)
        self._pauses = min(self._pauses + 1, 32)
        self._paused_until = self._clock() + pause
        news, self._said = reason != self._said, reason
        return news

    def take_old(self) -> list[Member]:
        """Take away those that have waited too long."""
        old = [ready for ready in self.waiting if self.is_old(ready)]
        self.waiting = deque(ready for ready in self.waiting if not self.is_old(ready))
        return [ready.member for ready in old]

    def take_surplus(self) -> list[Member]:
        """Take away those above the target, oldest first."""
        return [self.waiting.popleft().member for _ in range(len(self.waiting) - self.target)]

    def take_all(self) -> list[Member]:
        """Take away all, for good."""
        self.target = 0
        return self.take_surplus()
