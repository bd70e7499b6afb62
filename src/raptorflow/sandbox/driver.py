"""What every way of making a sandbox offers."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec

Holder = Literal["kernel", "supervised", "missing"]


@dataclass(frozen=True)
class Guarantee:
    """Who keeps a guarantee, and by what."""

    holder: Holder
    by: str


@dataclass(frozen=True)
class ProbeReport:
    """What a driver can do on this machine, found by trying.

    Attributes:
        problem: why it cannot be used; None when it can.
        remedy: the command that mends it.
    """

    driver: str
    guarantees: dict[str, Guarantee] = field(default_factory=dict[str, Guarantee])
    problem: str | None = None
    remedy: str | None = None

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


class SandboxDriver(Protocol):
    """Makes a sandbox, runs one command in it, and leaves nothing behind."""

    @property
    def name(self) -> str:
        """Its name in settings and results."""
        ...

    async def probe(self) -> ProbeReport:
        """What it can do here; found once."""
        ...

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command. How it ends is in the result; nothing the command does raises.

        Cancelling it ends every process of the run.
        """
        ...

    async def close(self) -> None:
        """Remove what is kept between runs."""
        ...
