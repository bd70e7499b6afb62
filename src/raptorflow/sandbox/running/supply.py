"""Where sandboxes come from: kept ready, or built when asked for."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Literal

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.driver import Blueprint, SandboxDriver
from raptorflow.sandbox.pool.metrics import CREATE_SECONDS
from raptorflow.sandbox.pool.pool import Maker, WarmPool
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.running.live import LiveSandbox, start
from raptorflow.sandbox.running.waiting import wait_in

ID_DIGITS = 12
MS = 1000
Path = Literal["cold", "warm"]


class Supply:
    """The sandboxes of one driver.

    Args:
        driver: builds them.
        settings: how many are kept ready.
        start_seconds: how long an agent may take to answer.
        open_files: that a program may have at once.
    """

    def __init__(
        self, driver: SandboxDriver, settings: PoolSettings, start_seconds: float, open_files: int
    ) -> None:
        self._driver = driver
        self._start_seconds, self._open_files = start_seconds, open_files
        maker = Maker[Blueprint, LiveSandbox](self._spare, LiveSandbox.claim, LiveSandbox.destroy)
        self._pool = WarmPool(driver.name, settings, maker)
        self._begun = False

    async def take(self, blueprint: Blueprint, labels: Mapping[str, str]) -> tuple[LiveSandbox, Path]:
        """A sandbox that nobody used and nobody else gets, and whether it had been kept ready.

        Raises:
            SandboxStartFailed: none could be built.
        """
        if not self._begun:
            self._begun = True
            self._pool.start()
        watch = Stopwatch()
        if ready := await self._pool.claim(blueprint):
            CREATE_SECONDS.labels(self._driver.name, "warm").observe(watch.elapsed_ms() / MS)
            return ready, "warm"
        built = await self._build(blueprint, labels)
        seconds = watch.elapsed_ms() / MS
        CREATE_SECONDS.labels(self._driver.name, "cold").observe(seconds)
        self._pool.observe(blueprint, seconds)
        return built, "cold"

    async def close(self) -> None:
        """End those that nobody took."""
        await self._pool.close()

    async def _spare(self, blueprint: Blueprint) -> LiveSandbox:
        sandbox = await self._build(blueprint, {}, ahead=True)
        try:
            async with asyncio.timeout(self._start_seconds):
                sandbox.waiting = await wait_in(sandbox.link, blueprint, self._open_files)
        except BaseException:
            await sandbox.destroy()
            raise
        return sandbox

    async def _build(
        self, blueprint: Blueprint, labels: Mapping[str, str], *, ahead: bool = False
    ) -> LiveSandbox:
        await self._driver.prepare(blueprint)
        name = new_sandbox_id()
        return await start(self._driver, blueprint, name, labels, self._start_seconds, ahead=ahead)


def new_sandbox_id() -> str:
    """A name that no other sandbox has."""
    return uuid.uuid4().hex[:ID_DIGITS]
