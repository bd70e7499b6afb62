"""What a runtime puts between the code inside and this machine's kernel, and what it needs for itself."""

from dataclasses import dataclass

from raptorflow.sandbox.probing import Boundary
from raptorflow.skills.capabilities import MIB


@dataclass(frozen=True)
class Runtime:
    """One kind of runtime.

    Attributes:
        boundary: what it builds.
        bytes: what it needs for itself, besides what a group of programs has.
        tasks: the same of processes and threads, as this machine's kernel counts them.
    """

    boundary: Boundary
    bytes: int
    tasks: int

    @property
    def shares_kernel(self) -> bool:
        """Whether programs inside call this machine's kernel."""
        return self.boundary == "shared-kernel"


SHARED = Runtime("shared-kernel", bytes=0, tasks=0)
# Its kernel is a program with some dozens of threads, and has further ones for each that it runs.
USER_SPACE = Runtime("user-space-kernel", bytes=128 * MIB, tasks=256)
MACHINE = Runtime("virtual-machine", bytes=256 * MIB, tasks=256)
# By their usual names.
KNOWN = {"runsc": USER_SPACE, "gvisor": USER_SPACE, "kata": MACHINE}


def runtime_named(name: str | None) -> Runtime:
    """The kind of a runtime, going by what the engine calls it; None is the engine's own."""
    return next((kind for part, kind in KNOWN.items() if name and part in name), SHARED)
