"""The tree of a run's processes as `/proc` shows it: what supervision measures where there is no cgroup."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
# Stopped, traced, a zombie, dead (proc(5)).
STANDING = {"T", "t", "Z", "X"}
# There is no such process any more, or no such file of it for us; anything else would count as nothing.
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass(frozen=True)
class TreeUse:
    """What a tree of processes uses now: tasks (threads count) and their own memory."""

    tasks: int
    memory_bytes: int


def tree_use(first: int, *, enough_bytes: int) -> TreeUse:
    """Look at every process below the sandbox's first one.

    Pages that forked processes share count once for each; only when that passes `enough_bytes` they are
    divided among their users, which costs the kernel more.
    """
    pids = list(descendants(first))
    tasks = sum(len(_names(f"/proc/{pid}/task")) for pid in pids)
    memory = sum(_kib(f"/proc/{pid}/status", ("RssAnon", "RssShmem")) for pid in pids)
    if memory * KIB > enough_bytes:
        memory = sum(_kib(f"/proc/{pid}/smaps_rollup", ("Pss_Anon", "Pss_Shmem")) for pid in pids)
    return TreeUse(tasks, memory * KIB)


def descendants(pid: int) -> Iterator[int]:
    """Every process below `pid`; those whose parent died are below the sandbox's first process."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def children(pid: int) -> list[int]:
    """Processes that this one started."""
    texts = [_text(f"/proc/{pid}/task/{task}/children") for task in _names(f"/proc/{pid}/task")]
    return [int(child) for text in texts for child in text.split()]


def state_of(pid: int) -> str:
    """A letter (proc(5)); none for a process that is gone."""
    return "".join(_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1])


def named(mark: str) -> list[int]:
    """This user's processes with the mark as an argument."""
    argument = b"\0" + mark.encode() + b"\0"
    found: list[int] = []
    for name in filter(str.isdigit, _names("/proc")):
        try:
            if argument in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
        except OSError:
            continue
    return found


def parent_of(pid: int) -> int:
    """The parent's pid.

    Raises:
        ProcessLookupError: there is no such process.
    """
    value = _value(f"/proc/{pid}/status", "PPid")
    if value is None:
        raise ProcessLookupError(f"no process {pid}")
    return value


def _kib(path: str, names: tuple[str, ...]) -> int:
    total = 0
    for line in _text(path).splitlines():
        name, _, value = line.partition(":")
        if name in names:
            total += int(value.split()[0])
    return total


def _value(path: str, name: str) -> int | None:
    for line in _text(path).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return None


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except GONE:
        return []


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except GONE:
        return ""
