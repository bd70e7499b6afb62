"""What a monitor is: the program on the host that gives a machine its processor, memory and devices."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from raptorflow.sandbox.driver import Channel
from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.console import Console
from raptorflow.sandbox.drivers.microvm.machine import Machine


@dataclass(frozen=True)
class Lack:
    """Why a monitor cannot be used here, and what mends that."""

    problem: str
    remedy: str | None = None


class Guest(Protocol):
    """A machine that runs."""

    @property
    def console(self) -> Console:
        """What it prints."""
        ...

    @property
    def pid(self) -> int:
        """The monitor's process."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        ...

    async def channel(self) -> Channel:
        """The channel to its agent; there is one.

        Raises:
            SandboxGone: it has ended, or its agent does not answer.
        """
        ...

    async def pause(self) -> None:
        """Stop its processors."""
        ...

    async def resume(self) -> None:
        """Let them go on."""
        ...

    async def snapshot(self, folder: Path) -> None:
        """Write its memory and devices into an empty folder; it stays stopped.

        Raises:
            SandboxStartFailed: the monitor could not.
        """
        ...

    async def end(self) -> None:
        """Kill it and let go of all that it held. Doing it again does nothing."""
        ...


class Monitor(Protocol):
    """One kind of monitor."""

    @property
    def name(self) -> str:
        """As the settings name it."""
        ...

    @property
    def how(self) -> str:
        """The agent's word for its channel."""
        ...

    @property
    def own_bytes(self) -> int:
        """Memory that the monitor itself may take."""
        ...

    @property
    def own_tasks(self) -> int:
        """Threads and processes of the monitor itself."""
        ...

    def lacks(self) -> Lack | None:
        """What is missing for it to boot guests; None when nothing is known to be."""
        ...

    async def version(self) -> str:
        """What its snapshots depend on: program and version."""
        ...

    async def start(self, machine: Machine, cell: Cell, frozen: Path | None) -> Guest:
        """Start a machine; with the folder of a snapshot, one that goes on from there.

        Raises:
            SandboxStartFailed: the monitor could not, or the guest was not built.
        """
        ...
