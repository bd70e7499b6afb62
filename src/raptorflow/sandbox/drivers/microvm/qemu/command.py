"""QEMU's command line: a machine of the `microvm` type, with the few devices that a guest needs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.machine import Machine
from raptorflow.skills.capabilities import MIB

FILTER = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
KERNEL_WORDS = "console=ttyS0 quiet panic=-1 reboot=t rdinit=/init no_timer_check cryptomgr.notests"
# An emulated processor of the second level of x86-64, which today's binary wheels ask for; wider vectors
# would be emulated at a loss.
EMULATED = "qemu64,+rdrand,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"
CODE_CACHE_MIB = 64
CPU_INFO = Path("/proc/cpuinfo")
MEGAHERTZ = re.compile(r"^cpu MHz\s*:\s*(\d+)(?:\.(\d{3}))?", re.MULTILINE)


@dataclass(frozen=True)
class Opened:
    """Descriptors that QEMU gets: everything it may read, and two sockets. It opens no file by name.

    Attributes:
        kernel: the uncompressed kernel.
        first: the file system that it starts with.
        disks: in the machine's order.
        channel: leads to us.
        control: QEMU's machine protocol.
        frozen: a snapshot to go on from, or None.
    """

    kernel: int
    first: int
    disks: Sequence[int]
    channel: int
    control: int
    frozen: int | None = None

    @property
    def all(self) -> list[int]:
        """Every one."""
        frozen = [] if self.frozen is None else [self.frozen]
        return [self.kernel, self.first, *self.disks, self.channel, self.control, *frozen]


def qemu_command(program: Path, machine: Machine, opened: Opened, mark: str, *, kvm: bool) -> list[str]:
    """The whole command.

    Args:
        program: QEMU for this processor.
        machine: what to emulate.
        opened: its files.
        mark: names the machine in the host's list of processes.
        kvm: whether the kernel runs the guest; otherwise it is emulated.
    """
    words = KERNEL_WORDS if kvm else f"{KERNEL_WORDS} {_clock()}"
    command = [str(program), "-name", mark, "-M", "microvm,rtc=on", *_processor(kvm=kvm)]
    command += ["-m", f"{machine.memory_bytes // MIB}M", "-smp", str(machine.processors)]
    command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", FILTER]
    command += ["-kernel", _reopened(opened.kernel), "-initrd", _reopened(opened.first), "-append", words]
    command += ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"]
    command += [*_sockets(opened), *_disks(opened.disks)]
    return command if opened.frozen is None else [*command, "-incoming", f"fd:{opened.frozen}"]


def _processor(*, kvm: bool) -> list[str]:
    if kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", f"tcg,tb-size={CODE_CACHE_MIB}", "-cpu", EMULATED]


def _clock() -> str:
    """Tell the guest how fast the counter runs: a busy host makes it measure nonsense, or wait for ever."""
    found = MEGAHERTZ.search(CPU_INFO.read_text())
    return f"tsc_early_khz={int(found[1]) * 1000 + int(found[2] or 0)}" if found else ""


def _sockets(opened: Opened) -> list[str]:
    """The console on standard output, the channel as a serial port, and the machine protocol."""
    return [
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=channel,fd={opened.channel}"),
        *("-device", "virtio-serial-device,max_ports=2"),
        *("-device", "virtserialport,chardev=channel,name=raptorflow"),
        *("-chardev", f"socket,id=control,fd={opened.control}", "-mon", "chardev=control,mode=control"),
    ]


def _disks(descriptors: Sequence[int]) -> list[str]:
    """Read-only by QEMU, and by the descriptor, which was opened for reading."""
    arguments: list[str] = []
    for number, descriptor in enumerate(descriptors):
        file = f"file.driver=file,file.filename=/dev/fdset/{number},file.locking=off"
        arguments += ["-add-fd", f"fd={descriptor},set={number}"]
        arguments += ["-blockdev", f"driver=raw,node-name=disk{number},read-only=on,{file}"]
        arguments += ["-device", f"virtio-blk-device,drive=disk{number}"]
    return arguments


def _reopened(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"
