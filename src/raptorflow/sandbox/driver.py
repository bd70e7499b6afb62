"""The contract that every kind of sandbox keeps, and all it has to keep.

A driver builds a closed box with one guest agent in it and one channel to that agent, measures it from
outside, and removes it. Everything else is written once above the drivers: running programs, files, output,
clocks, the pool, quotas, audit, and the way to the network, which is the same channel. No driver gives its
sandbox a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.skills.capabilities import Limits

# What the agent itself may use, on top of what a program may.
AGENT_BYTES = 16 * 1024 * 1024
AGENT_TASKS = 1


@dataclass(frozen=True)
class Blueprint:
    """All that is fixed when a sandbox is made; sandboxes of equal blueprints are interchangeable.

    Attributes:
        limits: what it may use. A driver holds memory, processes, CPU and disk; the clock and the output are
            held above it.
        mounts: host folders that are seen inside, read-only.
        python: the interpreter inside, which the agent is started with.
        reach: whether programs inside may make sockets, to ask the broker for a way out. Without it they
            cannot even ask.
        workspace_bytes: the size of `/workspace`.
        packages: where `python` finds the environment's packages, when it has to be told: it comes with the
            sandbox's image, and the environment's own interpreter does not.
    """

    limits: Limits
    mounts: tuple[Mount, ...]
    python: Path
    reach: bool
    workspace_bytes: int
    packages: Path | None = None


@dataclass(frozen=True)
class Handle:
    """One sandbox of one driver."""

    driver: str
    sandbox_id: str


@dataclass(frozen=True)
class Usage:
    """What a sandbox used so far, seen from outside; the guest is never asked.

    Attributes:
        cpu_ms: processor time; None where nothing counts it.
        memory_bytes: what its programs hold now, without their files; None where nothing counts it.
        peak_memory_bytes: the most it held, files in memory included.
        tasks: processes and threads now.
        out_of_memory: how often the kernel ended something inside for lack of memory.
        tasks_refused: how often one more process was refused.
        throttled: in how many periods its processes were stopped, their processor time being used up; None
            where nothing counts it.
        disk_full: whether nothing more fits into the workspace or `/tmp`.
        exact: whether the kernel counted. Where it did not, signs in a program's output are all there is.
        over: a limit that is passed and that nobody but us holds; whoever sees it ends the sandbox.
    """

    cpu_ms: float | None = None
    memory_bytes: int | None = None
    peak_memory_bytes: int | None = None
    tasks: int | None = None
    out_of_memory: int = 0
    tasks_refused: int = 0
    throttled: int | None = None
    disk_full: bool = False
    exact: bool = True
    over: Literal["oom", "pids"] | None = None


class Channel(Protocol):
    """Bytes to the guest agent and back: the only way in or out."""

    async def read(self) -> bytes:
        """The next bytes, 64 KiB at most; nothing when the sandbox has ended."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; waits while the guest does not read.

        Raises:
            ConnectionError: the sandbox has ended.
        """
        ...

    def close(self) -> None:
        """Let go of it; the sandbox ends itself when its channel does."""
        ...


class SandboxDriver(Protocol):
    """One kind of sandbox."""

    @property
    def name(self) -> str:
        """Its name in settings and results."""
        ...

    async def probe(self) -> ProbeReport:
        """What it enforces on this machine, found by trying; once."""
        ...

    async def prepare(self, blueprint: Blueprint) -> None:
        """Make what sandboxes of this blueprint share (an image, a disk), so that `create` is fast.

        Raises:
            SandboxUnavailable: it cannot be made here.
        """
        ...

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """Build a sandbox whose agent has started and whose limits hold. Whatever fails leaves nothing.

        Args:
            blueprint: what to build.
            sandbox_id: unique; letters, digits, `-`.
            labels: shown by the driver's own tools (tenant, run); never secret.

        Raises:
            SandboxStartFailed: it could not be built.
        """
        ...

    async def channel(self, handle: Handle) -> Channel:
        """The channel to its agent; there is one.

        Raises:
            SandboxGone: it has ended.
        """
        ...

    async def stats(self, handle: Handle) -> Usage:
        """What it used so far; what was last seen when it has ended."""
        ...

    async def destroy(self, handle: Handle) -> None:
        """End every process of it and free all that it held. Doing it again does nothing."""
        ...

    async def list(self) -> list[Handle]:
        """What exists on this machine, from the kernel's or the engine's own word, whoever made it."""
        ...

    async def close(self) -> None:
        """Destroy what is left and remove what is kept between sandboxes."""
        ...


@runtime_checkable
class HasOwnPython(Protocol):
    """A driver whose sandboxes may have another interpreter than this machine's."""

    @property
    def python(self) -> Path | None:
        """The interpreter inside; None for the blueprint's."""
        ...


@runtime_checkable
class PutsMounts(Protocol):
    """A driver that cannot show this machine's folders: they are put in over the channel."""

    def to_put(self, blueprint: Blueprint) -> tuple[Mount, ...]:
        """The mounts whose files have to be put in before a program starts."""
        ...


@runtime_checkable
class MakesAhead(Protocol):
    """A driver that can make sandboxes without taking the processors from those in use."""

    async def create_ahead(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """What `create` does; it gives way to others until it is claimed."""
        ...

    def claim(self, handle: Handle) -> None:
        """It is in use from now on, and gives way no more.

        Raises:
            SandboxGone: it has been destroyed.
        """
        ...


@runtime_checkable
class CanPause(Protocol):
    """A driver whose sandboxes can be stopped and let go on."""

    async def pause(self, handle: Handle) -> None:
        """Stop every program inside; memory is kept."""
        ...

    async def resume(self, handle: Handle) -> None:
        """Let them go on; where they do already, nothing."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """A frozen sandbox from which others are started.

    Attributes:
        driver: which can restore it.
        folder: its files.
        digests: name of each file -> hex SHA-256; a file that is another is not gone on from.
    """

    driver: str
    folder: Path
    digests: Mapping[str, str] = field(default_factory=dict[str, str])


@runtime_checkable
class CanSnapshot(SandboxDriver, Protocol):
    """A driver that starts sandboxes from a frozen one."""

    async def snapshot(self, handle: Handle) -> Snapshot:
        """Freeze a sandbox that has run nothing yet; it can only be destroyed from then on.

        Raises:
            SandboxStartFailed: it could not be frozen.
        """
        ...

    async def restore(
        self, snapshot: Snapshot, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]
    ) -> Handle:
        """A new sandbox from it; the agent inside waits to be given a new identity.

        Raises:
            SandboxStartFailed: it could not be built, or the snapshot is not what it was.
        """
        ...

    async def forget(self, snapshot: Snapshot) -> None:
        """Remove what is kept of it; sandboxes that go on from it are not disturbed."""
        ...
