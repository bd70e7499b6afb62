"""What a container uses, read from the kernel's own files: its control groups and its file systems.

They are found by the container's first process. Where this user may not read them, the engine is asked.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from raptorflow.sandbox.cgroups.group import fields, number
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.drivers.docker.engine import within
from raptorflow.sandbox.drivers.docker.mounts import SERVICES, TMP
from raptorflow.sandbox.spec import WORK

PROC = Path("/proc")
NANOSECONDS, MICROSECONDS = 1_000_000, 1_000  # in a millisecond
MEMORY, PROCESSES, PROCESSORS, ACCOUNTING = "memory", "pids", "cpu", "cpuacct"
NEEDED = (MEMORY, PROCESSES, PROCESSORS)
WRITABLE = (WORK, TMP, SERVICES)
# Less than the smallest file needs: a full workspace is rarely full to the last byte.
FULL_BYTES = 4096


@dataclass(frozen=True)
class Groups:
    """Where the kernel counts for one container.

    Attributes:
        version: of control groups.
        folders: controller -> folder; of version 2, the same for each.
        container: the container's id.
        pid: of its first process, as this machine counts.
        root: its file systems, as that process sees them; None where a kernel of its own has them.
    """

    version: int
    folders: Mapping[str, Path]
    container: str
    pid: int
    root: Path | None

    def usage(self) -> Usage | None:
        """What it used so far; None when it has ended or nothing can be read."""
        memory = fields(self.folders[MEMORY] / "memory.stat")
        tasks = number(self.folders[PROCESSES] / "pids.current")
        if not memory or tasks is None:
            return None
        counted = _counted_v1(self.folders) if self.version == 1 else _counted_v2(self.folders)
        rooms = _rooms(self.root) if self.root else []
        return Usage(
            memory_bytes=_programs(memory, rooms),
            tasks=tasks,
            tasks_refused=fields(self.folders[PROCESSES] / "pids.events").get("max", 0),
            throttled=fields(self.folders[PROCESSORS] / "cpu.stat").get("nr_throttled"),
            disk_full=any(_is_full(room) for room in rooms[:2]),
            exact=len(rooms) == len(WRITABLE),
            **counted,
        )

    def kill(self) -> None:
        """End its first process, and with that all of it: for when there is no engine to do so."""
        with suppress(OSError):
            if self.container in (PROC / str(self.pid) / "cgroup").read_text():
                os.kill(self.pid, signal.SIGKILL)


def find_groups(pid: int, container: str, *, shares_kernel: bool) -> Groups | None:
    """Where a container is counted; None when that cannot be read, or the process is no longer its.

    Args:
        pid: of its first process, as this machine counts.
        container: its id, which its groups are named after.
        shares_kernel: whether its file systems are this machine's kernel's.
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
        folders = dict.fromkeys(NEEDED, folders[""])
    if not folders.keys() >= set(NEEDED):
        return None
    root = PROC / str(pid) / "root" if shares_kernel else None
    return Groups(version, folders, container, pid, root)


def engine_usage(stats: Mapping[str, Any]) -> Usage:
    """The same in the engine's words; it counts neither what the kernel ended nor what it refused."""
    spent = within(stats, "cpu_stats", "cpu_usage", "total_usage")
    memory = within(stats, "memory_stats", "stats", "total_rss")
    return Usage(
        cpu_ms=None if spent is None else round(spent / NANOSECONDS, 3),
        memory_bytes=within(stats, "memory_stats", "stats", "anon") if memory is None else memory,
        peak_memory_bytes=within(stats, "memory_stats", "max_usage"),
        tasks=within(stats, "pids_stats", "current"),
        throttled=within(stats, "cpu_stats", "throttling_data", "throttled_periods"),
        exact=False,
    )


class Counted(TypedDict):
    """What the two versions call by other names."""

    cpu_ms: float | None
    peak_memory_bytes: int | None
    out_of_memory: int


def _counted_v1(folders: Mapping[str, Path]) -> Counted:
    spent = number(folders[ACCOUNTING] / "cpuacct.usage") if ACCOUNTING in folders else None
    return {
        "cpu_ms": None if spent is None else round(spent / NANOSECONDS, 3),
        "peak_memory_bytes": number(folders[MEMORY] / "memory.max_usage_in_bytes"),
        "out_of_memory": fields(folders[MEMORY] / "memory.oom_control").get("oom_kill", 0),
    }


def _counted_v2(folders: Mapping[str, Path]) -> Counted:
    spent = fields(folders[MEMORY] / "cpu.stat").get("usage_usec")
    return {
        "cpu_ms": None if spent is None else round(spent / MICROSECONDS, 3),
        "peak_memory_bytes": number(folders[MEMORY] / "memory.peak"),
        "out_of_memory": fields(folders[MEMORY] / "memory.events").get("oom_kill", 0),
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


def _programs(memory: Mapping[str, int], rooms: Sequence[os.statvfs_result]) -> int | None:
    """What programs hold: their own memory, and what is shared and no file of the writable folders.

    None where these folders cannot be seen: shared memory then is one with the files.
    """
    if len(rooms) < len(WRITABLE):
        return None
    files = sum((room.f_blocks - room.f_bfree) * room.f_frsize for room in rooms)
    own = memory.get("total_rss", memory.get("anon", 0))
    return own + max(0, memory.get("total_shmem", memory.get("shmem", 0)) - files)


def _rooms(root: Path) -> list[os.statvfs_result]:
    """The writable folders' file systems; fewer where this user may not look at them."""
    found: list[os.statvfs_result] = []
    for folder in WRITABLE:
        with suppress(OSError):
            found.append(os.statvfs(root / folder.lstrip("/")))
    return found


def _is_full(room: os.statvfs_result) -> bool:
    return room.f_bavail * room.f_frsize < FULL_BYTES or room.f_favail == 0
