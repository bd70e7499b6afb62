"""Whether the limit on processor time holds a monitor: one that never rests is started as each of them is."""

import asyncio
import uuid
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.sandbox.cgroups.group import Group
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.microvm.cells import Cell, Cells
from raptorflow.sandbox.drivers.microvm.launch import launch
from raptorflow.skills.capabilities import MIB, Limits

RESTLESS = ("/bin/sh", "-c", "while :; do :; done")
# So little that also a busy machine gives it more, unless it is held back.
TRIAL = Blueprint(Limits(cpus=0.05), (), Path("/"), reach=False, workspace_bytes=MIB)
LOOKS, AGAIN_SECONDS = 150, 0.02


async def is_held_back(cells: Cells) -> bool:
    """Whether the kernel has stopped a restless process in a group of a machine's kind.

    Raises:
        SandboxStartFailed: it cannot be started.
    """
    cell = await asyncio.to_thread(cells.open, f"quota-{uuid.uuid4().hex[:12]}", TRIAL, {})
    try:
        return bool(cell.group) and await _tried(cell, cell.group)
    finally:
        await to_the_end(asyncio.to_thread(cells.remove, cell.sandbox_id))


async def _tried(cell: Cell, group: Group) -> bool:
    monitored = await launch(cell, RESTLESS, (), file_bytes=0)
    try:
        for _ in range(LOOKS):
            await asyncio.sleep(AGAIN_SECONDS)
            if group.usage().throttled:
                return True
    finally:
        await to_the_end(monitored.end())
    return False
