"""What an attack leaves behind: sandboxes, control groups and processes that were not there before it.

Sandboxes have names of their own, which say nothing of a run; so what there is before is compared with what
there is afterwards, however many sandboxes an attack has.
"""

import asyncio
import os
import time
from pathlib import Path

from raptorflow.sandbox.attacks.outside import marked
from raptorflow.sandbox.attacks.stage import POLL_SECONDS, Stage

ROOT = Path("/sys/fs/cgroup")
SETTLE_SECONDS = 5.0
SHOWN = 3


async def present(stage: Stage) -> frozenset[str]:
    """One line for each thing of this process's managers, and for each sandbox that the driver lists.

    Where the driver asks an engine or a cluster, it lists those of other managers as well.

    Raises:
        SandboxUnavailable: the driver cannot be asked.
    """
    own = os.getpid()
    managers = _names(own)
    groups = {path for path in groups_of(own) if not Path(path).name.startswith(managers)}
    listed = await stage.manager.list() + (await stage.world.manager.list() if stage.world else [])
    return frozenset(
        {f"control group {path}" for path in groups}
        | {f"sandbox {handle.sandbox_id}" for handle in listed}
        | {f"process {pid}" for name in managers for pid in marked(name)}
    )


async def left_since(before: frozenset[str], stage: Stage) -> list[str]:
    """What was not there before and has not gone after a moment; nothing when all is well.

    Raises:
        SandboxUnavailable: the driver cannot be asked.
    """
    deadline = time.monotonic() + SETTLE_SECONDS * stage.patience
    while left := await present(stage) - before:
        if time.monotonic() > deadline:
            return sorted(left)
        await asyncio.sleep(POLL_SECONDS)
    return []


def told(left: list[str]) -> str:
    """What is left, in words."""
    more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    return f"left behind: {', '.join(left[:SHOWN])}{more}"


def groups_of(pid: int, root: Path = ROOT) -> set[str]:
    """Control groups that managers of a process have made: their folders, and all that is in those."""
    # Not by a glob: others remove groups of theirs meanwhile, which a walk passes over.
    paths = (f"{folder}/{name}" for folder, names, _ in os.walk(root) for name in names)
    return {path for path in paths if any(f"/{name}" in path for name in _names(pid))}


def _names(pid: int) -> tuple[str, str]:
    """How the names of a process's managers begin: in their groups, and among their programs' arguments."""
    return f"raptorflow-sandbox-{pid}-", f"raptorflow-microvm-manager-{pid}-"
