"""What is seen from outside of what a sandbox should have ended: its processes and control groups."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from raptorflow.sandbox.drivers.local.leftovers import PREFIX

SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.01
CGROUPS = Path("/sys/fs/cgroup")


def processes(mark: str) -> list[int]:
    """Pids of others whose command line has the mark."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def own_groups() -> set[Path]:
    """Control groups that managers of this process have."""
    mine = f"{PREFIX}{os.getpid()}-"
    walk = os.walk(CGROUPS)  # unlike a glob, it does not mind what disappears meanwhile
    return {Path(top, name) for top, names, _ in walk for name in names if name.startswith(mine)}


async def soon(condition: Callable[[], object]) -> None:
    """Wait for what must come soon."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)


async def turns(number: int) -> None:
    """Let others go on, so many times."""
    for _ in range(number):
        await asyncio.sleep(0)
