"""Firecracker as a monitor, always in its jailer."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.channel import SocketChannel
from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.console import Console
from raptorflow.sandbox.drivers.microvm.firecracker.api import Api
from raptorflow.sandbox.drivers.microvm.firecracker.jail import Jail
from raptorflow.sandbox.drivers.microvm.firecracker.vsock import SOCKET, connect
from raptorflow.sandbox.drivers.microvm.kvm import kvm_lack
from raptorflow.sandbox.drivers.microvm.launch import Monitored, launch
from raptorflow.sandbox.drivers.microvm.machine import VSOCK_PORT, Machine
from raptorflow.sandbox.drivers.microvm.monitor import Lack
from raptorflow.sandbox.drivers.microvm.namespaces import apart_lack
from raptorflow.sandbox.drivers.microvm.process import Process
from raptorflow.sandbox.drivers.microvm.settings import MIB, MicroVmSettings
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed

log = logger(__name__)

KERNEL, FIRST, STATE, MEMORY = "kernel", "first", "state", "memory"
# The guest's console is the serial line, which Firecracker writes to its standard output.
WORDS = (
    "console=ttyS0 quiet panic=-1 reboot=k pci=off rdinit=/init cryptomgr.notests "
    "i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd"
)
GUEST_CID = 3
OLDEST, ADVISED = (1, 12, 0), (1, 16, 1)
VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
ANSWER_SECONDS = 10
AGAIN_SECONDS = 0.001
PATHS = "/usr/local/bin:/usr/bin"


class FirecrackerGuest:
    """A machine that Firecracker runs.

    Args:
        monitored: the jailer, and what the machine prints.
        jail: where Firecracker lives.
        seconds: how long the agent may take to listen.
    """

    def __init__(self, monitored: Monitored, jail: Jail, seconds: float) -> None:
        self._monitored = monitored
        self._jail = jail
        self._seconds = seconds
        self._folder = os.open(jail.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.api = Api(self._folder)
        self._process: Process | None = None
        self._channel: SocketChannel | None = None

    @property
    def console(self) -> Console:
        """What it prints."""
        return self._monitored.console

    @property
    def pid(self) -> int:
        """Firecracker's process; 0 before it is known."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether Firecracker runs."""
        return self._process is not None and self._process.alive

    async def up(self) -> None:
        """Wait until Firecracker answers, and know its process.

        Raises:
            SandboxStartFailed: the jailer failed.
        """
        while not (self._process and await self.api.answers()):
            # The jailer starts Firecracker, notes its process, and ends: without the note, it has failed.
            ended = not self._monitored.process.alive
            self._process = self._process or self._jail.process()
            if ended and not self._process:
                await self.console.ended()
                raise SandboxStartFailed(f"Firecracker's jailer failed: {self.console.said()}")
            await asyncio.sleep(AGAIN_SECONDS)

    async def channel(self) -> SocketChannel:
        """The connection to the agent's port; made when it is first asked for.

        Raises:
            SandboxGone: nobody listens there, or the machine has ended.
        """
        if not self.alive:
            raise SandboxGone(f"The machine has ended: {self.console.said()}")
        if self._channel is None:
            self._channel = await connect(self._folder, VSOCK_PORT, self._seconds)
        return self._channel

    async def pause(self) -> None:
        """Stop its processors."""
        await self.api.patch("/vm", state="Paused")

    async def resume(self) -> None:
        """Let them go on."""
        await self.api.patch("/vm", state="Resumed")

    async def snapshot(self, folder: Path) -> None:
        """Write its memory and devices.

        Raises:
            SandboxStartFailed: its channel is open already, and would be closed in every copy.
        """
        if self._channel is not None:
            raise SandboxStartFailed("A machine whose channel is open cannot be copied.")
        await self.pause()
        await self.api.put(
            "/snapshot/create", snapshot_type="Full", snapshot_path=f"/{STATE}", mem_file_path=f"/{MEMORY}"
        )
        for name in (STATE, MEMORY):
            await to_the_end(asyncio.to_thread(self._jail.take, name, folder / name))

    async def end(self) -> None:
        """Kill it; the first process of a namespace takes all others with it."""
        self._process = self._process or self._jail.process()
        if self._process:
            self._process.kill()
            await self._process.gone()
            self._process.close()
        await self._monitored.end()
        if self._channel:
            self._channel.close()
        if self._folder >= 0:
            await self.api.close()
            os.close(self._folder)
            self._folder = -1


class FirecrackerMonitor:
    """Starts machines with Firecracker.

    Args:
        settings: where the programs are, and which users machines run as.
        groups: the version of this machine's control groups.
    """

    name = "firecracker"
    how = f"vsock:{VSOCK_PORT}"
    own_bytes = 64 * MIB
    own_tasks = 8

    def __init__(self, settings: MicroVmSettings, groups: int | None) -> None:
        self._settings = settings
        self._groups = groups

    def lacks(self) -> Lack | None:
        """Programs, rights, versions, or a KVM that boots guests."""
        programs = self._programs_lack() or _version_lack(self.program())
        return programs or apart_lack() or kvm_lack()

    async def version(self) -> str:
        """Firecracker's own word; a snapshot may depend on the processor too."""
        program = await asyncio.to_thread(_version, self.program())
        return f"Firecracker {'.'.join(map(str, program))}, {_processor()}"

    async def start(self, machine: Machine, cell: Cell, frozen: Path | None) -> FirecrackerGuest:
        """Start a jail, set the machine up, and wait until its agent is started.

        Raises:
            SandboxStartFailed: the jailer, Firecracker or the guest failed.
        """
        if lack := self._programs_lack():
            raise SandboxStartFailed(lack.problem, hint=lack.remedy)
        jail = Jail(cell, self.program(), self._jailer())
        await asyncio.to_thread(jail.fill, _files(machine, frozen))
        limit = 2 * machine.memory_bytes
        command = jail.command(self._groups, limit)
        monitored = await launch(cell, command, (), file_bytes=limit, as_root=True)
        guest = FirecrackerGuest(monitored, jail, self._settings.boot_seconds)
        try:
            async with asyncio.timeout(self._settings.boot_seconds):
                await guest.up()
                await (_proceed(guest.api) if frozen else _boot(guest, machine))
        except BaseException as error:
            await to_the_end(guest.end())
            if isinstance(error, TimeoutError):
                seconds, said = self._settings.boot_seconds, guest.console.said()
                raise SandboxStartFailed(f"The guest was not up after {seconds:g} s: {said}") from error
            raise
        return guest

    def _programs_lack(self) -> Lack | None:
        for program, name in ((self.program(), "firecracker"), (self._jailer(), "jailer")):
            if not os.access(program, os.X_OK):
                setting = f"RAPTORFLOW_SANDBOX__MICROVM__{name.upper()}"
                return Lack(f"Firecracker's program {name} is not installed.", f"Set {setting} to its path")
        if os.geteuid() != 0:
            return Lack("Firecracker's jailer needs root.", "Run the manager as root, or use QEMU")
        return None

    def program(self) -> Path:
        """Firecracker itself."""
        return self._settings.firecracker or Path(shutil.which("firecracker", path=PATHS) or "firecracker")

    def _jailer(self) -> Path:
        return self._settings.jailer or Path(shutil.which("jailer", path=PATHS) or "jailer")


async def _boot(guest: FirecrackerGuest, machine: Machine) -> None:
    api = guest.api
    memory = machine.memory_bytes // MIB
    await api.put("/machine-config", vcpu_count=machine.processors, mem_size_mib=memory, smt=False)
    await api.put("/boot-source", kernel_image_path=f"/{KERNEL}", initrd_path=f"/{FIRST}", boot_args=WORDS)
    for number in range(len(machine.disks)):
        disk = f"disk{number}"
        await api.put(
            f"/drives/{disk}", drive_id=disk, path_on_host=f"/{disk}", is_root_device=False, is_read_only=True
        )
    await api.put("/vsock", guest_cid=GUEST_CID, uds_path=f"/{SOCKET}")
    await api.put("/entropy")
    await api.put("/actions", action_type="InstanceStart")
    await guest.console.built()


async def _proceed(api: Api) -> None:
    memory: dict[str, str] = {"backend_path": f"/{MEMORY}", "backend_type": "File"}
    await api.put("/snapshot/load", snapshot_path=f"/{STATE}", mem_backend={**memory}, resume_vm=True)


def _files(machine: Machine, frozen: Path | None) -> dict[str, Path]:
    """What is shown in the jail: name -> file on the host."""
    disks = {f"disk{number}": disk.file for number, disk in enumerate(machine.disks)}
    if frozen:
        return {**disks, STATE: frozen / STATE, MEMORY: frozen / MEMORY}
    return {**disks, KERNEL: machine.image.kernel, FIRST: machine.image.first}


def _version(program: Path) -> tuple[int, int, int]:
    """(1, 12, 1) and so on; zeros when it does not say."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0, 0)
    found = VERSION.search(done.stdout)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def _version_lack(program: Path) -> Lack | None:
    found = _version(program)
    words = ".".join(map(str, found))
    if found < OLDEST:
        return Lack(f"Firecracker {words} is too old.", "Install Firecracker 1.16.1 or newer")
    if found < ADVISED:
        log.warning("an old Firecracker", found=words, advised=".".join(map(str, ADVISED)))
    return None


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "an unknown processor"
