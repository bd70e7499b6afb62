"""Frozen sandboxes, from which others go on: they are there sooner than new ones."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.tasks import end_tasks, to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import Blueprint, CanSnapshot, SandboxDriver, Snapshot
from raptorflow.sandbox.running.live import new_sandbox_id

log = logger(__name__)

# What is built anew so often is worth freezing.
OFTEN = 2
# A frozen one that was used so lately does not give way, and what failed is not tried again for so long.
LATELY_SECONDS, REST_SECONDS = 60.0, 300.0
MOST_KINDS = 256


@dataclass
class _Kind:
    """Of one blueprint: how often it was built anew, what is frozen, and until when it rests."""

    built: int = 0
    frozen: Snapshot | None = None
    used: float = 0.0
    rests_until: float = 0.0


class Copies:
    """What is frozen of one driver's sandboxes; nothing when it cannot freeze any.

    Args:
        driver: builds them.
        most: how many are kept; the one used least recently gives way.
        pressed: whether the machine is short of memory; nothing is frozen meanwhile.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        driver: SandboxDriver,
        most: int,
        pressed: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._driver = driver if isinstance(driver, CanSnapshot) and most else None
        self._most = most
        self._pressed = pressed
        self._clock = clock
        self._kinds: OrderedDict[Blueprint, _Kind] = OrderedDict()
        self._freezing: dict[Blueprint, asyncio.Task[None]] = {}
        self._closed = False

    def of(self, blueprint: Blueprint) -> Snapshot | None:
        """What a sandbox of this blueprint can go on from."""
        kind = self._kinds.get(blueprint)
        if kind is None or kind.frozen is None:
            return None
        self._kinds.move_to_end(blueprint)
        kind.used = self._clock()
        return kind.frozen

    def built_anew(self, blueprint: Blueprint) -> None:
        """One was: when that happens often, one is frozen meanwhile, for those who come next."""
        if self._driver is None or self._closed:
            return
        kind = self._kinds.setdefault(blueprint, _Kind())
        kind.built += 1
        self._kinds.move_to_end(blueprint)
        self._forget_kinds()
        if kind.built >= OFTEN and self._may_freeze(kind):
            task = asyncio.create_task(self._freeze(self._driver, blueprint, kind))
            self._freezing[blueprint] = task
            task.add_done_callback(lambda _: self._freezing.pop(blueprint))

    async def give_up(self, blueprint: Blueprint, frozen: Snapshot, reason: str) -> None:
        """Nothing came up from what is frozen: go on from it no more."""
        kind = self._kinds.get(blueprint)
        if self._driver and kind and kind.frozen is frozen:
            log.warning("a frozen sandbox is not used any more", reason=reason)
            kind.frozen, kind.rests_until = None, self._clock() + REST_SECONDS
            await self._driver.forget(frozen)

    async def settle(self) -> None:
        """Wait until nothing is being frozen."""
        while self._freezing:
            await asyncio.wait(self._freezing.values())

    async def close(self) -> None:
        """Freeze no more, and end what is under way; what is frozen goes with the driver."""
        self._closed = True
        await end_tasks(tuple(self._freezing.values()))

    def _may_freeze(self, kind: _Kind) -> bool:
        """One after the other: each is a machine beside those that run."""
        if kind.frozen or self._freezing or self._clock() < kind.rests_until:
            return False
        lately = [each for each in self._frozen() if self._clock() - each.used <= LATELY_SECONDS]
        return len(lately) < self._most and not self._pressed()

    def _frozen(self) -> list[_Kind]:
        """Those of which one is frozen, least recently used first."""
        return [kind for kind in self._kinds.values() if kind.frozen]

    async def _freeze(self, driver: CanSnapshot, blueprint: Blueprint, kind: _Kind) -> None:
        try:
            kind.frozen = await _frozen_by(driver, blueprint)
        except RaptorFlowError as error:
            log.warning("no sandbox could be frozen", driver=driver.name, reason=error.message)
            kind.rests_until = self._clock() + REST_SECONDS
            return
        self.of(blueprint)
        for each in self._frozen()[: -self._most]:
            if gone := each.frozen:
                each.frozen = None
                await driver.forget(gone)

    def _forget_kinds(self) -> None:
        """Of those that were only counted, the oldest are not remembered: fewer than that are frozen."""
        while len(self._kinds) > MOST_KINDS:
            kept = {*self._freezing, *(key for key, kind in self._kinds.items() if kind.frozen)}
            del self._kinds[next(key for key in self._kinds if key not in kept)]


async def _frozen_by(driver: CanSnapshot, blueprint: Blueprint) -> Snapshot:
    handle = await driver.create(blueprint, new_sandbox_id(), {})
    try:
        return await driver.snapshot(handle)
    finally:
        await to_the_end(driver.destroy(handle))
