"""Control groups, version 1 and 2: hold memory, processes and CPU, and say what was used.

Each run gets a group of its own below ours. Writing the pid of the waiting sandbox into it before it is let
go puts everything it ever starts inside.
"""

import os
import signal
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from raptorflow.skills.capabilities import Limits

ROOT = Path("/sys/fs/cgroup")
PREFIX = "raptorflow-"
CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_MICROSECONDS = 100_000
NANOSECONDS_PER_MS = 1_000_000
MICROSECONDS_PER_MS = 1000


@dataclass(frozen=True)
class Usage:
    """What a group used, and which limits it ran into."""

    cpu_ms: float | None
    peak_memory_bytes: int | None
    oom: bool = False
    pids_refused: bool = False


class Group(Protocol):
    """A run's group."""

    def add(self, pid: int) -> None:
        """Put a process inside."""
        ...

    def kill(self) -> None:
        """Kill everything inside."""
        ...

    def usage(self) -> Usage:
        """What was used so far."""
        ...

    def remove(self) -> None:
        """Remove the empty group."""
        ...


class GroupV1:
    """A directory below each controller's hierarchy."""

    def __init__(self, limits: Limits, folders: dict[str, Path]) -> None:
        name = _name()
        self._folders = {controller: folder / name for controller, folder in folders.items()}
        for folder in self._folders.values():
            folder.mkdir()
        memory = self._folders["memory"]
        _write(memory / "memory.limit_in_bytes", limits.memory_bytes)
        # Where swap is counted, it must not be a way around the limit.
        with suppress(OSError):
            _write(memory / "memory.memsw.limit_in_bytes", limits.memory_bytes)
        _write(self._folders["pids"] / "pids.max", limits.pids + OWN_PROCESSES)
        _write(self._folders["cpu"] / "cpu.cfs_period_us", PERIOD_MICROSECONDS)
        _write(self._folders["cpu"] / "cpu.cfs_quota_us", int(limits.cpus * PERIOD_MICROSECONDS))

    def add(self, pid: int) -> None:
        """Put a process inside."""
        for folder in self._folders.values():
            _write(folder / "cgroup.procs", pid)

    def kill(self) -> None:
        """Kill everything inside, repeatedly: a process may fork while it is being listed."""
        _kill_all(self._folders["pids"] / "cgroup.procs")

    def usage(self) -> Usage:
        """What was used so far."""
        memory = self._folders["memory"]
        control = _fields(memory / "memory.oom_control")
        counted = self._folders.get("cpuacct", self._folders["cpu"]) / "cpuacct.usage"
        nanoseconds = _number(counted)
        return Usage(
            cpu_ms=None if nanoseconds is None else round(nanoseconds / NANOSECONDS_PER_MS, 3),
            peak_memory_bytes=_number(memory / "memory.max_usage_in_bytes"),
            oom=control.get("oom_kill", 0) > 0,
            pids_refused=_fields(self._folders["pids"] / "pids.events").get("max", 0) > 0,
        )

    def remove(self) -> None:
        """Remove the empty group."""
        for folder in self._folders.values():
            with suppress(OSError):
                folder.rmdir()


class GroupV2:
    """One directory for all controllers."""

    def __init__(self, limits: Limits, parent: Path) -> None:
        self._folder = parent / _name()
        self._folder.mkdir()
        _write(self._folder / "memory.max", limits.memory_bytes)
        with suppress(OSError):
            _write(self._folder / "memory.swap.max", 0)
        _write(self._folder / "pids.max", limits.pids + OWN_PROCESSES)
        quota = int(limits.cpus * PERIOD_MICROSECONDS)
        _write(self._folder / "cpu.max", f"{quota} {PERIOD_MICROSECONDS}")

    def add(self, pid: int) -> None:
        """Put a process inside."""
        _write(self._folder / "cgroup.procs", pid)

    def kill(self) -> None:
        """Kill everything inside."""
        try:
            _write(self._folder / "cgroup.kill", 1)
        except OSError:
            _kill_all(self._folder / "cgroup.procs")

    def usage(self) -> Usage:
        """What was used so far."""
        microseconds = _fields(self._folder / "cpu.stat").get("usage_usec")
        return Usage(
            cpu_ms=None if microseconds is None else microseconds / MICROSECONDS_PER_MS,
            peak_memory_bytes=_number(self._folder / "memory.peak"),
            oom=_fields(self._folder / "memory.events").get("oom_kill", 0) > 0,
            pids_refused=_fields(self._folder / "pids.events").get("max", 0) > 0,
        )

    def remove(self) -> None:
        """Remove the empty group."""
        with suppress(OSError):
            self._folder.rmdir()


# Bubblewrap's two processes do not count as the skill's.
OWN_PROCESSES = 2


class Groups:
    """Makes groups where this user may; `version` is None where not."""

    def __init__(self) -> None:
        self._v1 = _v1_folders()
        self._v2 = None if self._v1 else _v2_folder()
        self.version = 1 if self._v1 else 2 if self._v2 else None

    def make(self, limits: Limits) -> Group | None:
        """A group with limits, or None where none can be made."""
        if self._v1:
            return GroupV1(limits, self._v1)
        return GroupV2(limits, self._v2) if self._v2 else None

    def reap(self) -> int:
        """Remove groups whose maker is dead, with whatever still runs in them; how many there were."""
        parents = set(self._v1.values()) if self._v1 else {self._v2} if self._v2 else set[Path]()
        dead = [
            folder for parent in parents for folder in parent.glob(f"{PREFIX}*") if _maker_is_dead(folder)
        ]
        for folder in dead:
            _kill_all(folder / "cgroup.procs")
            with suppress(OSError):
                folder.rmdir()
        return len(dead)


def _v1_folders() -> dict[str, Path] | None:
    """Our own group's folder below each controller, if groups can be made there."""
    own: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            folder = ROOT / controllers / path.lstrip("/")
            own[controller] = folder if folder.is_dir() else ROOT / controller
    folders = {name: own[name] for name in (*CONTROLLERS, "cpuacct") if name in own}
    return folders if set(CONTROLLERS) <= set(folders) and all(map(_may_make, folders.values())) else None


def _v2_folder() -> Path | None:
    """A folder of ours whose children have the controllers, made at the root when this user may."""
    if not (ROOT / "cgroup.controllers").exists():
        return None
    folder = ROOT / "raptorflow"
    try:
        folder.mkdir(exist_ok=True)
        for parent in (ROOT, folder):
            missing = set(CONTROLLERS) - set((parent / "cgroup.subtree_control").read_text().split())
            if missing:
                _write(parent / "cgroup.subtree_control", " ".join(f"+{name}" for name in sorted(missing)))
    except OSError:
        return None
    return folder


def _may_make(folder: Path) -> bool:
    probe = folder / _name()
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _name() -> str:
    return f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _maker_is_dead(folder: Path) -> bool:
    pid = folder.name.removeprefix(PREFIX).partition("-")[0]
    return pid.isdigit() and not Path(f"/proc/{pid}").exists()


def _kill_all(processes: Path) -> None:
    for _ in range(KILL_ROUNDS):
        pids = [int(pid) for pid in _text(processes).split()]
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


KILL_ROUNDS = 50


def _write(path: Path, value: int | str) -> None:
    path.write_text(str(value))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _fields(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
