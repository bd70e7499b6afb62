"""What a container uses, read from the kernel's own files: its control groups and its file systems.

They are found by the container's first process. Where this user may not read them, the engine is asked.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.drivers.docker.engine import within
from raptorflow.sandbox.drivers.docker.mounts import TMP
from raptorflow.sandbox.spec import WORK

PROC = Path("/proc")
NANOSECONDS, MICROSECONDS = 1_000_000, 1_000  # in a millisecond
MEMORY, PROCESSES, ACCOUNTING = "memory", "pids", "cpuacct"
# Less than the smallest file needs: a full workspace is rarely full to the last byte.
FULL_BYTES = 4096


@dataclass(frozen=True)
class Groups:
    """Where the kernel counts for one container.

    Attributes:
        version: of control groups.
        folders: controller -> folder; of version 2, the same for each.
        root: the container's file system, as its first process sees it.
    """

    version: int
    folders: Mapping[str, Path]
    root: Path

    def usage(self) -> Usage | None:
        """What it used so far; None when it has ended or nothing can be read."""
        memory = _fields(self.folders[MEMORY] / "memory.stat")
        tasks = _number(self.folders[PROCESSES] / "pids.current")
        if not memory or tasks is None:
            return None
        counted = _counted_v1(self.folders) if self.version == 1 else _counted_v2(self.folders)
        return Usage(
            memory_bytes=memory.get("total_rss", memory.get("anon")),
            tasks=tasks,
            tasks_refused=_fields(self.folders[PROCESSES] / "pids.events").get("max", 0),
            # False where this user cannot look at the container's file systems.
            disk_full=any(_is_full(self.root / folder.lstrip("/")) for folder in (WORK, TMP)),
            **counted,
        )


def find_groups(pid: int, container: str) -> Groups | None:
    """Where a container is counted; None when that cannot be read, or the process is no longer its.

    Args:
        pid: of its first process, as this machine counts.
        container: its id, which its groups are named after.
    """
    try:
        membership = (PROC / str(pid) / "cgroup").read_text()
        mounts = (PROC / "self" / "mountinfo").read_text()
    except OSError:
        return None
    if container not in membership:
        return None
    hierarchies = _hierarchies(mounts)
    folders: dict[str, Path] = {}
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in hierarchies and container in path:
                root, point = hierarchies[name]
                folders[name] = point / path.removeprefix(root.rstrip("/")).lstrip("/")
    version = 1 if MEMORY in folders else 2
    if version == 2 and "" in folders:
        folders = dict.fromkeys((MEMORY, PROCESSES), folders[""])
    if not {MEMORY, PROCESSES} <= folders.keys():
        return None
    return Groups(version, folders, PROC / str(pid) / "root")


def engine_usage(stats: Mapping[str, Any]) -> Usage:
    """The same in the engine's words; it counts neither what the kernel ended nor what it refused."""
    spent = within(stats, "cpu_stats", "cpu_usage", "total_usage")
    memory = within(stats, "memory_stats", "stats", "total_rss")
    return Usage(
        cpu_ms=None if spent is None else round(spent / NANOSECONDS, 3),
        memory_bytes=within(stats, "memory_stats", "stats", "anon") if memory is None else memory,
        peak_memory_bytes=within(stats, "memory_stats", "max_usage"),
        tasks=within(stats, "pids_stats", "current"),
    )


class Counted(TypedDict):
    """What the two versions call by other names."""

    cpu_ms: float | None
    peak_memory_bytes: int | None
    out_of_memory: int


def _counted_v1(folders: Mapping[str, Path]) -> Counted:
    spent = _number(folders[ACCOUNTING] / "cpuacct.usage") if ACCOUNTING in folders else None
    return {
        "cpu_ms": None if spent is None else round(spent / NANOSECONDS, 3),
        "peak_memory_bytes": _number(folders[MEMORY] / "memory.max_usage_in_bytes"),
        "out_of_memory": _fields(folders[MEMORY] / "memory.oom_control").get("oom_kill", 0),
    }


def _counted_v2(folders: Mapping[str, Path]) -> Counted:
    spent = _fields(folders[MEMORY] / "cpu.stat").get("usage_usec")
    return {
        "cpu_ms": None if spent is None else round(spent / MICROSECONDS, 3),
        "peak_memory_bytes": _number(folders[MEMORY] / "memory.peak"),
        "out_of_memory": _fields(folders[MEMORY] / "memory.events").get("oom_kill", 0),
    }


def _hierarchies(mounts: str) -> dict[str, tuple[str, Path]]:
    """Controller (empty: version 2) -> which part of its hierarchy is mounted, and where."""
    found: dict[str, tuple[str, Path]] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, point = before.split()[3:5]
        if kind == "cgroup":
            found |= dict.fromkeys(options.split(","), (root, Path(point)))
        elif kind == "cgroup2":
            found[""] = (root, Path(point))
    return found


def _is_full(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < FULL_BYTES or room.f_favail == 0


def _fields(path: Path) -> dict[str, int]:
    """A file of `name number` lines; empty when it cannot be read."""
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _number(path: Path) -> int | None:
    """A file of one number; None when it cannot be read."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
