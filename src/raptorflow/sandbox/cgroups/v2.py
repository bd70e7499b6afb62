"""Control groups, version 2: one tree for all controllers."""

import os
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

MICROSECONDS_PER_MS = 1000
DELEGATED = "user.delegate"
OWN_LEAF = "raptorflow-main"


class GroupV2:
    """One run's folder.

    Args:
        folder: does not exist yet.
        blueprint: what it holds.
    """

    def __init__(self, folder: Path, blueprint: Blueprint) -> None:
        self._folder = folder
        folder.mkdir()
        try:
            self._limit(blueprint)
        except OSError:
            self.remove()
            raise

    def _limit(self, blueprint: Blueprint) -> None:
        write(self._folder / "memory.max", memory_limit(blueprint))
        swap = self._folder / "memory.swap.max"
        if swap.exists():
            write(swap, 0)
        write(self._folder / "pids.max", tasks_limit(blueprint))
        write(self._folder / "cpu.max", f"{quota_microseconds(blueprint.limits)} {PERIOD_MICROSECONDS}")

    @property
    def entrances(self) -> tuple[Path, ...]:
        """Where a process moves itself in."""
        return (self._folder / "cgroup.procs",)

    def add(self, pid: int) -> None:
        """Move a process in."""
        write(self._folder / "cgroup.procs", pid)

    def weigh(self, percent: int) -> None:
        """How much of busy processors it gets; the usual weight is 100."""
        write(self._folder / "cpu.weight", percent)

    def pids(self) -> tuple[int, ...]:
        """Every process in it."""
        return pids_in(self._folder)

    def memory(self) -> MemoryUse:
        """What it holds now."""
        stat = fields(self._folder / "memory.stat")
        return MemoryUse(stat.get("anon", 0), stat.get("shmem", 0))

    def usage(self) -> Usage:
        """What it used so far."""
        processors = fields(self._folder / "cpu.stat")
        spent = processors.get("usage_usec")
        return Usage(
            cpu_ms=None if spent is None else spent / MICROSECONDS_PER_MS,
            peak_memory_bytes=number(self._folder / "memory.peak"),
            out_of_memory=fields(self._folder / "memory.events").get("oom_kill", 0),
            tasks_refused=fields(self._folder / "pids.events").get("max", 0),
            throttled=processors.get("nr_throttled"),
        )

    def remove(self) -> bool:
        """Remove the folder when it is empty; whether it is gone."""
        with suppress(OSError):
            self._folder.rmdir()
        return not self._folder.exists()


class GroupsV2:
    """This manager's folder, whose children have the controllers.

    Args:
        place: a group in which this user may make others, with the controllers for its children.
        name: of this manager's folder.

    Raises:
        OSError: it may not be made.
    """

    version = 2

    def __init__(self, place: Path, name: str) -> None:
        own = place / name
        own.mkdir()
        self._own = own
        self.folders = (own,)
        try:
            _give_controllers(own)
        except OSError:
            own.rmdir()
            raise

    def make(self, name: str, blueprint: Blueprint) -> GroupV2:
        """A group with a blueprint's limits."""
        return GroupV2(self._own / name, blueprint)


def own_place(root: Path, membership: str) -> Path:
    """The group that this process was given: the one above when it has moved itself out of the way."""
    path = next((line[3:] for line in membership.splitlines() if line.startswith("0::")), "/")
    place = root / path.lstrip("/")
    return place.parent if place.name == OWN_LEAF else place


def places_v2(root: Path, membership: str) -> list[Path]:
    """Where groups may be possible, best first: a group delegated to us, the root, our own group.

    Args:
        root: where the tree is mounted.
        membership: the text of `/proc/self/cgroup`.
    """
    if not (root / "cgroup.controllers").exists():
        return []
    own = own_place(root, membership)
    places = [own, root] if _is_delegated(own) else [root, own]
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def make_room(place: Path, own: Path) -> None:
    """Give the children of a group the controllers.

    A group that has processes cannot do that (the root can). When it is our own, its processes move into a
    child first, as systemd asks of whoever a group is delegated to.

    Raises:
        OSError: this user may not.
    """
    try:
        _give_controllers(place)
        return
    except OSError:
        if place != own:
            raise
    leaf = place / OWN_LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (place / "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            write(leaf / "cgroup.procs", pid)
    _give_controllers(place)


def _give_controllers(folder: Path) -> None:
    control = folder / "cgroup.subtree_control"
    if missing := set(CONTROLLERS) - set(control.read_text().split()):
        write(control, " ".join(f"+{name}" for name in sorted(missing)))


def _is_delegated(folder: Path) -> bool:
    try:
        return os.getxattr(folder, DELEGATED) == b"1"
    except OSError:
        return False
