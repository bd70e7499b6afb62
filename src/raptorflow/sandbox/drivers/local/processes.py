"""The tree of a run's processes as `/proc` shows it: what supervision measures where there is no cgroup."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class TreeUsage:
    """What a tree of processes uses now."""

    processes: int
    memory_bytes: int


def tree_usage(pid: int) -> TreeUsage:
    """Processes below `pid` and the memory that they hold (shared pages count once a process)."""
    pids = list(descendants(pid))
    return TreeUsage(len(pids), sum(map(_resident, pids)))


def descendants(pid: int) -> Iterator[int]:
    """Every process below `pid`."""
    for task in _listed(Path(f"/proc/{pid}/task")):
        for child in _text(Path(f"/proc/{pid}/task/{task}/children")).split():
            yield int(child)
            yield from descendants(int(child))


def kill_tree(pid: int) -> None:
    """Kill the first process of a sandbox: its pid namespace dies with it."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * PAGE if len(fields) > 1 else 0


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
