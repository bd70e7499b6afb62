"""Sandboxes made ahead: each is used once, proven alive when it is claimed, and replaced as demand asks.

What is kept ready belongs to nobody yet: it has no tenant, no files and no way out. Binding it to a run is
the caller's, after the claim.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.pool.demand import shares
from raptorflow.sandbox.pool.metrics import POOL_DISCARDED, POOL_HITS, POOL_MISSES, POOL_READY, POOL_TARGET
from raptorflow.sandbox.pool.pressure import MemoryPressure
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.pool.shelf import Shelf

log = logger(__name__)

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member")


@dataclass(frozen=True)
class Maker(Generic[Key, Member]):
    """How members are made, tried and ended.

    Attributes:
        make: a fresh member; what it leaves when it fails or is cancelled is its own to clean up.
        ping: returns when the member answers, raises when it is dead.
        discard: ends a member for good.
    """

    make: Callable[[Key], Awaitable[Member]]
    ping: Callable[[Member], Awaitable[object]]
    discard: Callable[[Member], Awaitable[object]]


class WarmPool(Generic[Key, Member]):
    """Ready members by key.

    Args:
        name: the driver's, in metrics and logs.
        settings: sizes and times.
        maker: how members are made.
        pressed: whether the machine is short of memory; nothing is made ahead meanwhile.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        settings: PoolSettings,
        maker: Maker[Key, Member],
        pressed: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._maker = maker
        self._pressed = pressed or MemoryPressure(settings.spare_memory_bytes, settings.stall_percent)
        self._clock = clock
        self._shelves: dict[Key, Shelf[Member]] = {}
        self._refills: set[asyncio.Task[None]] = set()
        self._discards: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def ready(self) -> int:
        """Members that wait to be claimed."""
        return sum(len(shelf.waiting) for shelf in self._shelves.values())

    def start(self) -> None:
        """Keep the pool filled, in the background, until `close`."""
        self._keeper = asyncio.create_task(self._keep())

    async def claim(self, key: Key) -> Member | None:
        """A member that answered just now and that nobody else gets; None when there is none.

        Counts as demand either way: after a miss some are made for the next ones.
        """
        if self._closed:
            return None
        shelf = self._shelf(key)
        shelf.ask()
        self._news.set()
        while shelf.waiting:
            ready = shelf.waiting.popleft()
            self._note()
            if shelf.is_old(ready):
                self._throw_away(ready.member, "old")
            elif await self._answers(ready.member):
                POOL_HITS.labels(self._name).inc()
                return ready.member
        POOL_MISSES.labels(self._name).inc()
        return None

    def observe(self, key: Key, seconds: float) -> None:
        """Tell how long making one took that was not made ahead: demand depends on it."""
        self._shelf(key).observe(seconds)

    def tick(self) -> None:
        """Look at ages and demand once: throw away what is too old or too much, begin to make what lacks."""
        if self._closed:
            return
        self._drop_idle()
        self._set_targets()
        for shelf in self._shelves.values():
            for member in shelf.take_old():
                self._throw_away(member, "old")
            for member in shelf.take_surplus():
                self._throw_away(member, "surplus")
        self._refill()
        self._note()

    async def settle(self) -> None:
        """Wait until nothing is being made or thrown away."""
        while busy := self._refills | self._discards:
            await asyncio.wait(busy)

    async def close(self) -> None:
        """Make no more, and end all that nobody claimed. Whoever claims from now on gets nothing."""
        self._closed = True
        await end_tasks([self._keeper] if self._keeper else [])
        await end_tasks(tuple(self._refills))
        for shelf in self._shelves.values():
            for member in shelf.take_all():
                self._throw_away(member, "closed")
        await self.settle()
        self._shelves.clear()
        self._note()

    def _shelf(self, key: Key) -> Shelf[Member]:
        if key not in self._shelves:
            self._shelves[key] = Shelf(self._settings, self._clock)
        return self._shelves[key]

    async def _keep(self) -> None:
        while True:
            self.tick()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look_seconds):
                    await self._news.wait()
                    await asyncio.sleep(self._settings.refill_delay_seconds)
            self._news.clear()

    async def _answers(self, member: Member) -> bool:
        """One that does not answer is thrown away, as is one whose claim is cancelled meanwhile."""
        try:
            async with asyncio.timeout(self._settings.ping_seconds):
                await self._maker.ping(member)
        except Exception as error:
            log.info("ready sandbox is dead", pool=self._name, reason=_words(error))
            self._throw_away(member, "dead")
            return False
        except BaseException:
            self._throw_away(member, "cancelled")
            raise
        return True

    def _drop_idle(self) -> None:
        idle = [key for key, shelf in self._shelves.items() if not shelf.wish() and self._is_idle(shelf)]
        for key in idle:
            for member in self._shelves.pop(key).take_all():
                self._throw_away(member, "idle")

    def _is_idle(self, shelf: Shelf[Member]) -> bool:
        return not shelf.making and self._clock() - shelf.asked > self._settings.idle_seconds

    def _set_targets(self) -> None:
        """Those asked for most recently are served first when not all fit."""
        recent = sorted(self._shelves.values(), key=lambda shelf: shelf.asked, reverse=True)
        wishes = [shelf.wish() for shelf in recent]
        for shelf, target in zip(recent, shares(wishes, self._settings.max_total), strict=True):
            shelf.target = target

    def _refill(self) -> None:
        room = self._settings.refill_at_once - sum(shelf.making for shelf in self._shelves.values())
        lacking = [key for key, shelf in self._shelves.items() if shelf.missing]
        if room <= 0 or not lacking or self._pressed():
            return
        lacking.sort(key=lambda key: self._shelves[key].asked, reverse=True)
        for key in lacking:
            for _ in range(min(room, self._shelves[key].missing)):
                self._begin(key, self._shelves[key])
                room -= 1

    def _begin(self, key: Key, shelf: Shelf[Member]) -> None:
        shelf.making += 1
        self._own(self._refills, self._make(key, shelf))

    async def _make(self, key: Key, shelf: Shelf[Member]) -> None:
        began = self._clock()
        try:
            member = await self._maker.make(key)
        except Exception as error:
            if shelf.failed(_words(error)):
                log.warning("no sandbox could be made ahead", pool=self._name, reason=_words(error))
        else:
            self._take_in(shelf, member, self._clock() - began)
        finally:
            shelf.making -= 1
            if not self._closed:
                self._refill()

    def _take_in(self, shelf: Shelf[Member], member: Member, took: float) -> None:
        if self._closed:
            self._throw_away(member, "closed")
            return
        shelf.put(member, took)
        self._note()

    def _throw_away(self, member: Member, reason: str) -> None:
        POOL_DISCARDED.labels(self._name, reason).inc()
        self._own(self._discards, self._discard(member))

    async def _discard(self, member: Member) -> None:
        try:
            await self._maker.discard(member)
        except Exception as error:
            # What is left is found by the driver's own word, and reaped.
            log.warning("ready sandbox was not removed", pool=self._name, reason=_words(error))

    def _own(self, tasks: set[asyncio.Task[None]], work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _note(self) -> None:
        POOL_READY.labels(self._name).set(self.ready)
        POOL_TARGET.labels(self._name).set(sum(shelf.target for shelf in self._shelves.values()))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
