"""Whether this machine's kernel can run guests."""

import os
import platform
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.monitor import Lack

DEVICE = Path("/dev/kvm")
PAGE_TABLES = Path("/sys/module/kvm_pvm")
USE_QEMU = "Set RAPTORFLOW_SANDBOX__MICROVM__MONITOR=qemu: it emulates the processor, some 20 times slower"


def kvm_lack(device: Path = DEVICE, page_tables: Path = PAGE_TABLES) -> Lack | None:
    """Why KVM cannot boot guests here; None when nothing speaks against it.

    Args:
        device: KVM's.
        page_tables: what the kernel shows when its KVM is the one without processor support.
    """
    if platform.machine() != "x86_64":
        return Lack(f"Guests are built for x86_64, and this is {platform.machine()}.")
    if not device.exists():
        return Lack(
            f"{device} is missing: the processor's virtualisation is off, or this is a machine without it.",
            f"Turn it on in the firmware (or as nested virtualisation) and `modprobe kvm`. {USE_QEMU}.",
        )
    if not os.access(device, os.R_OK | os.W_OK):
        return Lack(f"This user may not use {device}.", "As root: usermod -aG kvm USER, and sign in again")
    if page_tables.exists():
        return Lack(
            "This kernel's KVM is kvm_pvm, which runs only kernels that are made for it: a Debian guest does "
            "not boot.",
            f"Use a machine whose KVM is kvm_intel or kvm_amd. {USE_QEMU}.",
        )
    return None
