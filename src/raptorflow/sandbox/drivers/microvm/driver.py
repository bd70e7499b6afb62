"""The `microvm` driver: every sandbox is a machine with a kernel of its own."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import Blueprint, Channel, Handle, Snapshot, Usage
from raptorflow.sandbox.drivers.microvm.cells import Cell, Cells
from raptorflow.sandbox.drivers.microvm.disks import Disks
from raptorflow.sandbox.drivers.microvm.frozen import check_frozen, frozen_from
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, verify_image
from raptorflow.sandbox.drivers.microvm.machine import Machine, machine_of
from raptorflow.sandbox.drivers.microvm.measure import usage_of
from raptorflow.sandbox.drivers.microvm.monitor import Guest, Monitor
from raptorflow.sandbox.drivers.microvm.monitors import choose
from raptorflow.sandbox.drivers.microvm.selftest import SelfTest
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.drivers.microvm.snapshots import Snapshots
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.settings import SandboxSettings

log = logger(__name__)

NAME = "microvm"


@dataclass
class _Held:
    """One machine that this driver has started."""

    cell: Cell
    guest: Guest
    machine: Machine
    seen: Usage = dataclasses.field(default_factory=Usage)


class MicroVmDriver:
    """Starts machines with Firecracker or QEMU.

    Args:
        settings: which monitor, and where its files are.
        policy: how a self-test is run.
    """

    name = NAME

    def __init__(self, settings: MicroVmSettings, policy: SandboxSettings) -> None:
        self._settings = settings
        self._policy = policy
        self._cells = Cells(settings)
        self._disks = Disks(settings.place() / "disks", settings.cache_bytes)
        self._snapshots = Snapshots(settings.place() / "snapshots")
        self._image: Image | None = None
        self._monitor: Monitor | None = None
        self._known_version: str | None = None
        self._report: ProbeReport | None = None
        self._probing = asyncio.Lock()
        self._held: dict[str, _Held] = {}

    async def probe(self) -> ProbeReport:
        """Boot one guest and say what it holds; or why none can be booted, and what to do.

        Once, unless it could not be used: what was missing may have been made meanwhile.
        """
        async with self._probing:
            if self._report is None or not self._report.available:
                self._report = await self._probe()
        return self._report

    async def prepare(self, blueprint: Blueprint) -> None:
        """Pack what its guests are shown.

        Raises:
            SandboxUnavailable: there is no monitor or no image, or a folder cannot be packed.
        """
        await self._machine(blueprint)

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """Boot a machine whose agent is started.

        Raises:
            SandboxStartFailed: there is no monitor or no image, or the monitor or the guest failed.
        """
        return await self._start(blueprint, sandbox_id, labels, None)

    async def channel(self, handle: Handle) -> Channel:
        """The channel to its agent.

        Raises:
            SandboxGone: it has ended.
        """
        return await self._get(handle).guest.channel()

    async def stats(self, handle: Handle) -> Usage:
        """What its monitor uses, and with it the machine; what was last seen when it has ended.

        Raises:
            SandboxGone: it has been destroyed.
        """
        held = self._get(handle)
        if held.guest.alive:
            held.seen = usage_of(held.cell.group, held.guest)
        return held.seen

    async def destroy(self, handle: Handle) -> None:
        """Kill the machine and remove all that it had, whoever started it."""
        await to_the_end(self._destroyed(handle.sandbox_id))

    async def _destroyed(self, sandbox_id: str) -> None:
        if held := self._held.pop(sandbox_id, None):
            await held.guest.end()
        await asyncio.to_thread(self._cells.remove, sandbox_id)

    async def list(self) -> list[Handle]:
        """Machines that run, and those of which something is left, of whichever manager."""
        return [Handle(self.name, name) for name in sorted(await asyncio.to_thread(self._cells.found))]

    async def close(self) -> None:
        """Destroy this manager's machines and remove its groups; packed folders are kept."""
        for sandbox_id in list(self._held):
            await self.destroy(Handle(self.name, sandbox_id))
        await asyncio.to_thread(self._snapshots.close)
        self._cells.close()
        self._report = None

    async def pause(self, handle: Handle) -> None:
        """Stop the machine's processors."""
        await self._get(handle).guest.pause()

    async def resume(self, handle: Handle) -> None:
        """Let them go on."""
        await self._get(handle).guest.resume()

    async def snapshot(self, handle: Handle) -> Snapshot:
        """Write a machine to disk that has run nothing yet; it stays stopped.

        Raises:
            SandboxStartFailed: the monitor could not.
        """
        held = self._get(handle)
        version = await self._version()
        async with self._new_snapshot(handle.sandbox_id) as folder:
            async with asyncio.timeout(self._settings.boot_seconds):
                await held.guest.console.up()
                await held.guest.snapshot(folder)
            return await to_the_end(asyncio.to_thread(frozen_from, folder, held.machine, version))

    @asynccontextmanager
    async def _new_snapshot(self, name: str) -> AsyncGenerator[Path]:
        """A folder for one, which is removed again when none comes of it."""
        folder = self._snapshots.folder(name)
        try:
            await to_the_end(asyncio.to_thread(self._snapshots.make, folder))
            yield folder
        except BaseException as error:
            await to_the_end(asyncio.to_thread(self._snapshots.remove, folder))
            if isinstance(error, OSError):
                reason = str(error) or f"it took longer than {self._settings.boot_seconds:g} s"
                raise SandboxStartFailed(f"The machine {name} cannot be frozen: {reason}") from error
            raise

    async def restore(
        self, snapshot: Snapshot, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]
    ) -> Handle:
        """A machine that goes on from a snapshot; its agent must be given a new identity.

        Raises:
            SandboxStartFailed: the snapshot was changed, or is of another monitor, image or blueprint.
        """
        try:
            machine, version = await self._machine(blueprint), await self._version()
        except SandboxUnavailable as error:
            raise SandboxStartFailed(error.message, hint=error.hint) from error
        await asyncio.to_thread(check_frozen, snapshot, machine, version)
        return await self._start(blueprint, sandbox_id, labels, snapshot.folder)

    async def forget(self, snapshot: Snapshot) -> None:
        """Remove its files; machines that go on from it are not disturbed."""
        await asyncio.to_thread(self._snapshots.remove, snapshot.folder)

    async def _start(
        self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str], frozen: Path | None
    ) -> Handle:
        try:
            machine, monitor = await self._machine(blueprint), self._chosen()
        except SandboxUnavailable as error:
            raise SandboxStartFailed(error.message, hint=error.hint) from error
        limits = machine.group_blueprint(blueprint, monitor.own_bytes, monitor.own_tasks)
        cell = await self._cell(sandbox_id, limits, labels)
        try:
            guest = await monitor.start(machine, cell, frozen)
        except BaseException as error:
            await to_the_end(asyncio.to_thread(self._cells.remove, sandbox_id))
            if isinstance(error, OSError):
                raise SandboxStartFailed(f"The machine cannot be started: {error}") from error
            raise
        self._held[sandbox_id] = _Held(cell, guest, machine)
        return Handle(self.name, sandbox_id)

    async def _cell(self, sandbox_id: str, limits: Blueprint, labels: Mapping[str, str]) -> Cell:
        """A cell; a thread goes on when whoever waits gives up, so what it makes is then removed."""
        making = asyncio.create_task(asyncio.to_thread(self._cells.open, sandbox_id, limits, labels))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            await to_the_end(self._unmake(making))
            raise

    async def _unmake(self, making: asyncio.Task[Cell]) -> None:
        with suppress(SandboxStartFailed):
            cell = await making
            await asyncio.to_thread(self._cells.remove, cell.sandbox_id)

    async def _machine(self, blueprint: Blueprint) -> Machine:
        monitor = self._chosen()
        image, overhead = await self._verified(), self._settings.overhead_bytes
        return await asyncio.to_thread(machine_of, blueprint, image, self._disks, monitor.how, overhead)

    async def _verified(self) -> Image:
        """The image; held to its manifest once, when what dead managers left is removed too."""
        if self._image is None:
            self._image = await asyncio.to_thread(verify_image, self._settings.image())
            if count := await asyncio.to_thread(self._cells.reap):
                log.info("removed what dead managers left", machines=count)
            await asyncio.to_thread(self._snapshots.reap)
        return self._image

    async def _version(self) -> str:
        """The monitor's; asked once, as what is frozen lives no longer than this driver.

        Raises:
            SandboxStartFailed: it cannot be asked.
        """
        if self._known_version is None:
            try:
                self._known_version = await self._chosen().version()
            except OSError as error:
                raise SandboxStartFailed(f"The monitor cannot be asked for its version: {error}") from error
        return self._known_version

    def _chosen(self) -> Monitor:
        if self._monitor is None:
            self._monitor = choose(self._settings, self._cells.version)
        return self._monitor

    def _get(self, handle: Handle) -> _Held:
        if held := self._held.get(handle.sandbox_id):
            return held
        raise SandboxGone(f"The sandbox {handle.sandbox_id} has been destroyed.")

    async def _probe(self) -> ProbeReport:
        try:
            version, root = await self._version(), os.geteuid() == 0
            await self._verified()
            return await SelfTest(self, self._policy, version, self._cells, root=root).execute()
        except (SandboxUnavailable, SandboxStartFailed, SandboxGone) as error:
            return ProbeReport(
                self.name, problem=error.message, remedy=error.hint, boundary="virtual-machine"
            )
