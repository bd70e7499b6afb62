"""What a control group is, whichever version holds it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from raptorflow.sandbox.driver import AGENT_BYTES, AGENT_TASKS, Blueprint, Usage
from raptorflow.skills.capabilities import Limits

CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_MICROSECONDS = 100_000
SCRATCH_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class MemoryUse:
    """What a group holds now: processes' own memory, and files and segments in memory."""

    anonymous: int
    shared: int


class Group(Protocol):
    """One run's group."""

    @property
    def entrances(self) -> tuple[Path, ...]:
        """A process of one thread that writes 0 to each of these is in the group, and all that it starts."""
        ...

    def add(self, pid: int) -> None:
        """Move a process, and so all that it starts from now on, into the group."""
        ...

    def weigh(self, percent: int) -> None:
        """How much of busy processors it gets beside others, in hundredths of what is usual."""
        ...

    def pids(self) -> tuple[int, ...]:
        """Every process in it."""
        ...

    def memory(self) -> MemoryUse:
        """What it holds now."""
        ...

    def usage(self) -> Usage:
        """What it used so far."""
        ...

    def remove(self) -> bool:
        """Remove it; whether it is gone. A killed process leaves it a moment later."""
        ...


class Groups(Protocol):
    """The place where this manager's groups are made."""

    @property
    def version(self) -> int:
        """1 or 2."""
        ...

    @property
    def folders(self) -> tuple[Path, ...]:
        """What was made and must be removed in the end."""
        ...

    def make(self, name: str, blueprint: Blueprint) -> Group:
        """A group with a blueprint's limits."""
        ...


def scratch_bytes(limits: Limits) -> int:
    """The size of `/tmp`."""
    return min(SCRATCH_BYTES, limits.disk_bytes)


def memory_limit(blueprint: Blueprint) -> int:
    """What the kernel holds a group to: its processes and its files, which live in memory, together.

    Files cannot grow past their file systems' sizes, so processes always have at least `memory_bytes`, and a
    full workspace is told from a lack of memory. That processes alone stay below `memory_bytes` is watched.
    """
    files = blueprint.workspace_bytes + scratch_bytes(blueprint.limits)
    return blueprint.limits.memory_bytes + files + AGENT_BYTES


def tasks_limit(blueprint: Blueprint) -> int:
    """Processes and threads."""
    return blueprint.limits.pids + AGENT_TASKS


def quota_microseconds(limits: Limits) -> int:
    """CPU time in each period."""
    return max(1000, int(limits.cpus * PERIOD_MICROSECONDS))


def write(path: Path, value: int | str) -> None:
    """Set a value of a group."""
    path.write_text(str(value))


def pids_in(folder: Path) -> tuple[int, ...]:
    """The processes of a group's folder; none when it is gone."""
    try:
        return tuple(map(int, (folder / "cgroup.procs").read_text().split()))
    except FileNotFoundError:
        return ()


def fields(path: Path) -> dict[str, int]:
    """A file of `name number` lines; empty when it is not there."""
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def number(path: Path) -> int | None:
    """A file of one number; None when it is not there."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
