"""The micro VM driver's branch of the settings."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

MIB = 1024 * 1024


class MicroVmSettings(BaseModel):
    """How skills are held in machines of their own."""

    monitor: Literal["auto", "firecracker", "qemu"] = "auto"
    """What runs the machines: Firecracker where it boots guests, or else QEMU, when `auto`."""
    accelerator: Literal["auto", "kvm", "tcg"] = "auto"
    """QEMU's: the kernel's KVM, or emulation in software, which is some 20 times slower."""
    folder: Path | None = None
    """Of images, packed folders and machines; one of the system or of the user when not given."""
    qemu: Path | None = None
    firecracker: Path | None = None
    jailer: Path | None = None
    """Programs; those on the path when not given."""
    first_uid: int = Field(default=870_000, ge=1000)
    """Each machine runs as a user of its own, from this one on, when the manager is root."""
    uids: int = Field(default=4096, ge=1)
    boot_seconds: float = Field(default=60.0, gt=0)
    """How long a guest may take until its agent is started."""
    overhead_bytes: int = Field(default=160 * MIB, ge=96 * MIB)
    """Memory of a guest for its kernel, on top of what the limits give to programs and files."""
    cache_bytes: int = Field(default=4096 * MIB, ge=0)
    """How much the packed folders may take on disk; those used least recently go first, and those of the last
    ten minutes stay. 0 keeps no others."""

    def place(self) -> Path:
        """The folder that is used."""
        if self.folder:
            return self.folder
        if os.geteuid() == 0:
            return Path("/var/lib/raptorflow/microvm")
        data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
        return Path(data) / "raptorflow" / "microvm"

    def image(self) -> Path:
        """Where the image is, that `raptorflow sandbox image build` makes."""
        return self.place() / "image"
