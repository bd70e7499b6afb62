"""QEMU as a monitor: with the kernel's KVM where that boots guests, or else emulating the processor."""

import asyncio
import os
import re
import shutil
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.sandbox.channel import SocketChannel
from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.console import Console
from raptorflow.sandbox.drivers.microvm.kvm import kvm_lack
from raptorflow.sandbox.drivers.microvm.launch import Monitored, launch
from raptorflow.sandbox.drivers.microvm.machine import PORT_DEVICE, Machine
from raptorflow.sandbox.drivers.microvm.monitor import Lack
from raptorflow.sandbox.drivers.microvm.namespaces import apart_lack
from raptorflow.sandbox.drivers.microvm.qemu.command import Opened, qemu_command
from raptorflow.sandbox.drivers.microvm.qemu.qmp import Qmp
from raptorflow.sandbox.drivers.microvm.settings import MIB, MicroVmSettings
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed

PROGRAM = "qemu-system-x86_64"
PATHS = "/usr/bin:/usr/local/bin"
MEMORY, UNREAD = "memory", "unread"
MOST_UNREAD = 1024 * 1024
VERSION = re.compile(r"version (\S+)")
READ = os.O_RDONLY | os.O_CLOEXEC
NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class QemuGuest:
    """A machine that QEMU runs.

    Args:
        monitored: QEMU, and what the machine prints.
        end: our end of its serial port.
        qmp: its control.
        unread: what it had written there before it was copied.
    """

    def __init__(self, monitored: Monitored, end: socket.socket, qmp: Qmp, unread: bytes) -> None:
        self._unread = unread
        self._channel: SocketChannel | None = None
        self._monitored = monitored
        self._end = end
        self._qmp = qmp

    @property
    def console(self) -> Console:
        """What it prints."""
        return self._monitored.console

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._monitored.process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._monitored.process.alive

    async def channel(self) -> SocketChannel:
        """The socket behind the guest's serial port.

        Raises:
            SandboxGone: the machine has ended.
        """
        if not self.alive:
            raise SandboxGone(f"The machine has ended: {self.console.said()}")
        if self._channel is None:
            self._channel = SocketChannel(self._end, self._unread)
        return self._channel

    async def pause(self) -> None:
        """Stop its processors."""
        await self._qmp.ask("stop")

    async def resume(self) -> None:
        """Let them go on."""
        await self._qmp.ask("cont")

    async def snapshot(self, folder: Path) -> None:
        """Write its memory and devices into one file, and beside it what it has said so far.

        Raises:
            SandboxStartFailed: its channel is open already; or QEMU could not.
        """
        if self._channel is not None:
            raise SandboxStartFailed("A machine whose channel is open cannot be copied.")
        await self.pause()
        file = os.open(folder / MEMORY, NEW_FILE, 0o600)
        try:
            await self._qmp.give(MEMORY, file)
            await self._qmp.ask("migrate", uri=f"fd:{MEMORY}")
            await self._qmp.until("query-migrate", {"completed"}, {"failed", "cancelled"})
        finally:
            os.close(file)
        said = self._unread + _drained(self._end)
        await to_the_end(asyncio.to_thread((folder / UNREAD).write_bytes, said))

    async def proceed(self) -> None:
        """After a start from a snapshot: wait until all is read, and go on."""
        await self._qmp.until("query-status", {"paused", "postmigrate"}, {"internal-error", "shutdown"})
        await self.resume()

    async def end(self) -> None:
        """Kill it."""
        await self._monitored.end()
        self._qmp.close()
        self._end.close()


class QemuMonitor:
    """Starts machines with QEMU.

    Args:
        settings: which QEMU, and whether it may use KVM.
    """

    name = "qemu"
    how = PORT_DEVICE
    own_bytes = 256 * MIB
    own_tasks = 24

    def __init__(self, settings: MicroVmSettings) -> None:
        self._settings = settings
        self.kvm = settings.accelerator != "tcg" and kvm_lack() is None

    def lacks(self) -> Lack | None:
        """QEMU itself, or KVM where the settings insist on it."""
        if self.program() is None:
            return Lack("QEMU is not installed.", "apt-get install qemu-system-x86")
        missing = [tool for tool in ("setpriv", "prlimit") if not shutil.which(tool)]
        if missing:
            return Lack(f"{missing[0]} is not installed.", "apt-get install util-linux")
        return apart_lack() or (kvm_lack() if self._settings.accelerator == "kvm" else None)

    async def version(self) -> str:
        """QEMU's own word, and what runs the guest's instructions."""
        # To its end: whoever gives up waits until the program has, too.
        found = VERSION.search(await to_the_end(_version(self.program())))
        return f"QEMU {found[1] if found else '?'} with {'KVM' if self.kvm else 'an emulated processor'}"

    async def start(self, machine: Machine, cell: Cell, frozen: Path | None) -> QemuGuest:
        """Start QEMU, and wait until the guest's agent is started or the snapshot goes on.

        Raises:
            SandboxStartFailed: QEMU or the guest ended before.
        """
        program = self.program()
        if program is None:
            raise SandboxStartFailed("QEMU is not installed.")
        unread = await asyncio.to_thread((frozen / UNREAD).read_bytes) if frozen else b""
        channel, control = socket.socketpair(), socket.socketpair()
        with ExitStack() as stack, ExitStack() as ours:
            for end, passed in (channel, control):
                ours.callback(end.close)
                stack.callback(passed.close)
                end.setblocking(False)
            opened = Opened(
                kernel=_open(machine.image.kernel, stack),
                first=_open(machine.image.first, stack),
                disks=[_open(disk.file, stack) for disk in machine.disks],
                channel=channel[1].fileno(),
                control=control[1].fileno(),
                frozen=_open(frozen / MEMORY, stack) if frozen else None,
            )
            command = qemu_command(program, machine, opened, cell.mark, kvm=self.kvm)
            limit = 2 * machine.memory_bytes
            monitored = await launch(cell, command, opened.all, file_bytes=limit)
            ours.pop_all()
        guest = QemuGuest(monitored, channel[0], Qmp(control[0]), unread)
        await self._await(guest, resumed=frozen is not None)
        return guest

    async def _await(self, guest: QemuGuest, *, resumed: bool) -> None:
        try:
            async with asyncio.timeout(self._settings.boot_seconds):
                await (guest.proceed() if resumed else guest.console.built())
        except BaseException as error:
            await to_the_end(guest.end())
            if isinstance(error, TimeoutError):
                said = guest.console.said()
                raise SandboxStartFailed(
                    f"The guest was not up after {self._settings.boot_seconds:g} s: {said}"
                ) from error
            raise

    def program(self) -> Path | None:
        """QEMU for this processor; None when it is not installed."""
        found = self._settings.qemu or shutil.which(PROGRAM, path=PATHS)
        return Path(found) if found and os.access(found, os.X_OK) else None


async def _version(program: Path | None) -> str:
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--version"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    return (await process.communicate())[0].decode(errors="replace")


def _drained(end: socket.socket) -> bytes:
    """What can be read without waiting."""
    found = b""
    with suppress(BlockingIOError):
        while len(found) < MOST_UNREAD and (chunk := end.recv(MOST_UNREAD)):
            found += chunk
    return found


def _open(file: Path, stack: ExitStack) -> int:
    try:
        descriptor = os.open(file, READ)
    except OSError as error:
        raise SandboxStartFailed(f"{file.name} cannot be opened: {error}") from error
    stack.callback(os.close, descriptor)
    return descriptor
