"""Where sandboxes come from: kept ready, or built when asked for."""

import asyncio
from collections.abc import Mapping
from typing import Literal

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.driver import Blueprint, SandboxDriver, Snapshot
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.pool.metrics import CREATE_SECONDS
from raptorflow.sandbox.pool.pool import Maker, WarmPool
from raptorflow.sandbox.pool.pressure import MemoryPressure
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.running.copies import Copies
from raptorflow.sandbox.running.live import LiveSandbox, new_sandbox_id, start
from raptorflow.sandbox.running.waiting import wait_in

MS = 1000
Path = Literal["cold", "warm", "snapshot"]
Built = Literal["cold", "snapshot"]


class Supply:
    """The sandboxes of one driver.

    Args:
        driver: builds them.
        settings: how many are kept ready, and frozen.
        start_seconds: how long an agent may take to answer.
        open_files: that a program may have at once.
    """

    def __init__(
        self, driver: SandboxDriver, settings: PoolSettings, start_seconds: float, open_files: int
    ) -> None:
        self._driver = driver
        self._start_seconds, self._open_files = start_seconds, open_files
        maker = Maker[Blueprint, LiveSandbox](self._spare, LiveSandbox.claim, LiveSandbox.destroy)
        pressed = MemoryPressure(settings.spare_memory_bytes, settings.stall_percent)
        self._pool = WarmPool(driver.name, settings, maker, pressed)
        self._copies = Copies(driver, settings.max_snapshots, pressed)
        self._begun = False

    async def take(self, blueprint: Blueprint, labels: Mapping[str, str]) -> tuple[LiveSandbox, Path]:
        """A sandbox that nobody used and nobody else gets, and how it came.

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
        built, path = await self._build(blueprint, labels)
        seconds = watch.elapsed_ms() / MS
        CREATE_SECONDS.labels(self._driver.name, path).observe(seconds)
        self._pool.observe(blueprint, seconds)
        return built, path

    async def close(self) -> None:
        """End those that nobody took."""
        await self._pool.close()
        await self._copies.close()

    async def _spare(self, blueprint: Blueprint) -> LiveSandbox:
        sandbox, _ = await self._build(blueprint, {}, ahead=True)
        try:
            async with asyncio.timeout(self._start_seconds):
                sandbox.waiting = await wait_in(sandbox.link, blueprint, self._open_files)
        except BaseException:
            await sandbox.destroy()
            raise
        return sandbox

    async def _build(
        self, blueprint: Blueprint, labels: Mapping[str, str], *, ahead: bool = False
    ) -> tuple[LiveSandbox, Built]:
        """One that goes on from a frozen one where there is one, or else a new one."""
        await self._driver.prepare(blueprint)
        if frozen := self._copies.of(blueprint):
            try:
                return await self._start(blueprint, labels, frozen=frozen), "snapshot"
            except SandboxStartFailed as error:
                await self._copies.give_up(blueprint, frozen, error.message)
        sandbox = await self._start(blueprint, labels, ahead=ahead)
        self._copies.built_anew(blueprint)
        return sandbox, "cold"

    async def _start(
        self,
        blueprint: Blueprint,
        labels: Mapping[str, str],
        *,
        ahead: bool = False,
        frozen: Snapshot | None = None,
    ) -> LiveSandbox:
        name, seconds = new_sandbox_id(), self._start_seconds
        return await start(self._driver, blueprint, name, labels, seconds, ahead=ahead, frozen=frozen)
