"""What a driver can hold on this machine, and who holds it."""

from dataclasses import dataclass, field
from typing import Literal

Holder = Literal["kernel", "supervised", "missing"]
Boundary = Literal["interpreter", "shared-kernel", "user-space-kernel", "virtual-machine"]


@dataclass(frozen=True)
class Guarantee:
    """Who keeps a guarantee, and by what."""

    holder: Holder
    by: str

    @classmethod
    def tried(cls, held: bool, by: str) -> "Guarantee":
        """What came of trying what the kernel should hold."""
        return cls("kernel", by) if held else cls("missing", f"not held by {by}")


@dataclass(frozen=True)
class ProbeReport:
    """What a driver can do on this machine, found by trying.

    Attributes:
        optional: whether everything is done without it too.
        boundary: what stands between the code inside and this machine's kernel.
        problem: why it cannot be used; None when it can.
        remedy: the command that mends it.
    """

    driver: str
    guarantees: dict[str, Guarantee] = field(default_factory=dict[str, Guarantee])
    problem: str | None = None
    remedy: str | None = None
    boundary: Boundary = "shared-kernel"
    optional: bool = False

    @property
    def available(self) -> bool:
        """Whether it can be used at all."""
        return self.problem is None

    @property
    def weakened(self) -> tuple[str, ...]:
        """The guarantees that only supervision keeps."""
        return tuple(name for name, kept in self.guarantees.items() if kept.holder == "supervised")

    @property
    def missing(self) -> tuple[str, ...]:
        """The guarantees that nothing keeps."""
        return tuple(name for name, kept in self.guarantees.items() if kept.holder == "missing")
