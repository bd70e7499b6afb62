"""Processes that a process has started, and those have."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

SETTLE_SECONDS = 5.0
POLL_SECONDS = 0.02


def descendants(of: int) -> set[int]:
    """Children, their children, and so on."""
    children: dict[int, set[int]] = defaultdict(set)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name before may hold anything, spaces and brackets too (proc(5)).
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children[parent].add(int(entry.parent.name))
    found: set[int] = set()
    waiting = [of]
    while waiting:
        new = children[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def running() -> set[int]:
    """Every process of this machine."""
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*")}


async def gone_in_time(of: int, before: int) -> bool:
    """Whether there are soon no more of them than before."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while len(descendants(of)) > before:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
