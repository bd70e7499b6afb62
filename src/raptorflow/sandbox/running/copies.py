"""Frozen sandboxes, from which others go on: they are there sooner than new ones."""

import asyncio
from collections import OrderedDict

from raptorflow.core.tasks import end_tasks, to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import Blueprint, CanSnapshot, SandboxDriver, Snapshot
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed
from raptorflow.sandbox.running.live import new_sandbox_id

log = logger(__name__)


class Copies:
    """What is frozen of one driver's sandboxes; nothing when it cannot freeze any.

    Args:
        driver: builds them.
        most: how many are kept; those used least recently go first.
    """

    def __init__(self, driver: SandboxDriver, most: int) -> None:
        self._driver = driver if isinstance(driver, CanSnapshot) and most else None
        self._most = most
        # Without a snapshot: it failed, and is not tried again as long as it is remembered.
        self._known: OrderedDict[Blueprint, Snapshot | None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._freezing: set[asyncio.Task[None]] = set()

    def of(self, blueprint: Blueprint) -> Snapshot | None:
        """What a sandbox of this blueprint can go on from."""
        if blueprint in self._known:
            self._known.move_to_end(blueprint)
        return self._known.get(blueprint)

    async def freeze(self, blueprint: Blueprint) -> None:
        """Build a sandbox and freeze it, unless that was done or has failed before."""
        if self._driver is None:
            return
        async with self._turn:
            if blueprint not in self._known:
                self._known[blueprint] = await self._frozen(self._driver, blueprint)
                await self._trim(self._driver)

    def freeze_soon(self, blueprint: Blueprint) -> None:
        """Do that meanwhile, for those who come next."""
        if self._driver and blueprint not in self._known:
            freezing = asyncio.create_task(self.freeze(blueprint))
            self._freezing.add(freezing)
            freezing.add_done_callback(self._freezing.discard)

    async def close(self) -> None:
        """End what is under way; what is frozen goes with the driver."""
        await end_tasks(tuple(self._freezing))

    async def give_up(self, blueprint: Blueprint, reason: str) -> None:
        """Nothing came up from what is frozen: go on from it no more."""
        log.warning("a frozen sandbox is not used any more", reason=reason)
        if self._driver and (snapshot := self._known.get(blueprint)):
            self._known[blueprint] = None
            await self._driver.forget(snapshot)

    async def _frozen(self, driver: CanSnapshot, blueprint: Blueprint) -> Snapshot | None:
        try:
            handle = await driver.create(blueprint, new_sandbox_id(), {})
            try:
                return await driver.snapshot(handle)
            finally:
                await to_the_end(driver.destroy(handle))
        except (SandboxStartFailed, SandboxGone) as error:
            log.warning("no sandbox could be frozen", driver=driver.name, reason=error.message)
            return None

    async def _trim(self, driver: CanSnapshot) -> None:
        while len(self._known) > self._most:
            _, oldest = self._known.popitem(last=False)
            if oldest:
                await driver.forget(oldest)
