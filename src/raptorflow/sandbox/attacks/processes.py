"""Processes that a process has started, and those have."""

import asyncio
import os
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from raptorflow.sandbox.drivers.local.processes import children

SETTLE_SECONDS = 5.0
POLL_SECONDS = 0.02


def descendants(of: int) -> set[int]:
    """Children, their children, and so on."""
    below: dict[int, set[int]] = defaultdict(set)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name before may hold anything, spaces and brackets too (proc(5)).
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            below[parent].add(int(entry.parent.name))
    found: set[int] = set()
    waiting = [of]
    while waiting:
        new = below[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def running() -> set[int]:
    """Every process of this machine."""
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*")}


async def only(known: set[int]) -> bool:
    """Whether this process soon has no children but these; what they start is their own affair."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while set(children(os.getpid())) - known:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
