"""Control groups, version 1: a folder below each controller's hierarchy."""

from contextlib import suppress
from pathlib import Path

from raptorflow.sandbox.cgroups.group import (
    CONTROLLERS,
    PERIOD_MICROSECONDS,
    MemoryUse,
    fields,
    memory_limit,
    number,
    pids_in,
    quota_microseconds,
    tasks_limit,
    write,
)
from raptorflow.sandbox.driver import Blueprint, Usage

NANOSECONDS_PER_MS = 1_000_000
USUAL_SHARES = 1024


class GroupV1:
    """One run's folders.

    Args:
        folders: controller -> a folder that does not exist yet.
        blueprint: what they hold.
    """

    def __init__(self, folders: dict[str, Path], blueprint: Blueprint) -> None:
        self._folders = folders
        try:
            for folder in dict.fromkeys(folders.values()):
                folder.mkdir()
            self._limit(blueprint)
        except OSError:
            self.remove()
            raise

    def _limit(self, blueprint: Blueprint) -> None:
        memory, cpu = self._folders["memory"], self._folders["cpu"]
        write(memory / "memory.limit_in_bytes", memory_limit(blueprint))
        swap = memory / "memory.memsw.limit_in_bytes"
        if swap.exists():
            write(swap, memory_limit(blueprint))
        write(self._folders["pids"] / "pids.max", tasks_limit(blueprint))
        write(cpu / "cpu.cfs_period_us", PERIOD_MICROSECONDS)
        write(cpu / "cpu.cfs_quota_us", quota_microseconds(blueprint.limits))

    @property
    def entrances(self) -> tuple[Path, ...]:
        """Where a process of one thread moves itself in.

        The kernel waits for all processors to take notice (10 ms) for whoever moves another, or all threads.
        """
        return tuple(folder / "tasks" for folder in dict.fromkeys(self._folders.values()))

    def add(self, pid: int) -> None:
        """Move a process in."""
        for folder in dict.fromkeys(self._folders.values()):
            write(folder / "cgroup.procs", pid)

    def weigh(self, percent: int) -> None:
        """How much of busy processors it gets."""
        write(self._folders["cpu"] / "cpu.shares", USUAL_SHARES * percent // 100)

    def pids(self) -> tuple[int, ...]:
        """Every process in it."""
        return pids_in(self._folders["pids"])

    def memory(self) -> MemoryUse:
        """What it holds now."""
        stat = fields(self._folders["memory"] / "memory.stat")
        return MemoryUse(stat.get("rss", 0), stat.get("shmem", 0))

    def usage(self) -> Usage:
        """What it used so far."""
        memory = self._folders["memory"]
        spent = number(self._folders["cpuacct"] / "cpuacct.usage") if "cpuacct" in self._folders else None
        return Usage(
            cpu_ms=None if spent is None else round(spent / NANOSECONDS_PER_MS, 3),
            peak_memory_bytes=number(memory / "memory.max_usage_in_bytes"),
            out_of_memory=fields(memory / "memory.oom_control").get("oom_kill", 0),
            tasks_refused=fields(self._folders["pids"] / "pids.events").get("max", 0),
            throttled=fields(self._folders["cpu"] / "cpu.stat").get("nr_throttled"),
        )

    def remove(self) -> bool:
        """Remove the folders that are empty; whether all are gone."""
        folders = list(dict.fromkeys(self._folders.values()))
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()
        return not any(folder.exists() for folder in folders)


class GroupsV1:
    """This manager's folder below each controller.

    Args:
        places: controller -> a folder in which this user may make others.
        name: of this manager's folder.

    Raises:
        OSError: it may not be made.
    """

    version = 1

    def __init__(self, places: dict[str, Path], name: str) -> None:
        self._own = {controller: place / name for controller, place in places.items()}
        self.folders = tuple(dict.fromkeys(self._own.values()))
        made: list[Path] = []
        try:
            for folder in self.folders:
                folder.mkdir()
                made.append(folder)
        except OSError:
            for folder in made:
                folder.rmdir()
            raise

    def make(self, name: str, blueprint: Blueprint) -> GroupV1:
        """A group with a blueprint's limits."""
        return GroupV1({controller: own / name for controller, own in self._own.items()}, blueprint)


def places_v1(mounts: str, membership: str) -> dict[str, Path]:
    """Where this process stands in each hierarchy that is needed; empty when one is missing.

    Args:
        mounts: the text of `/proc/self/mountinfo`.
        membership: the text of `/proc/self/cgroup`.
    """
    hierarchies = _hierarchies(mounts)
    places: dict[str, Path] = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in hierarchies:
                root, point = hierarchies[controller]
                below = path.removeprefix(root.rstrip("/")).lstrip("/")
                place = point / below
                places[controller] = place if place.is_dir() else point
    wanted = {name: places[name] for name in (*CONTROLLERS, "cpuacct") if name in places}
    return wanted if set(CONTROLLERS) <= set(wanted) else {}


def _hierarchies(mounts: str) -> dict[str, tuple[str, Path]]:
    """Controller -> (which part of its hierarchy is mounted, where)."""
    found: dict[str, tuple[str, Path]] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup":
            root, point = before.split()[3:5]
            found |= dict.fromkeys(options.split(","), (root, Path(point)))
    return found
