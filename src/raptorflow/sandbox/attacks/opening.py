"""Opening a stage: a manager of one driver, with small limits on what comes out, and a folder."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.world import open_world
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings

SMALL = {
    "max_artifact_bytes": 64 * 1024,
    "max_artifacts_bytes": 160 * 1024,
    "max_artifacts": 8,
    "allow_supervised": True,
    # Each attack has a skill of its own: none that is made ahead would ever be used.
    "pool": NONE_READY,
}


@asynccontextmanager
async def open_stage(settings: SandboxSettings, driver: str) -> AsyncGenerator[Stage]:
    """A stage for as long as the block lasts.

    Args:
        settings: the machine's; what comes out of a sandbox is limited more tightly than they say.
        driver: which kind of sandbox.

    Raises:
        SandboxUnavailable: there is no such driver, or it cannot be used here.
    """
    small = settings.model_copy(update={**SMALL, "driver": driver})
    manager = build_manager(small)
    try:
        await manager.check()
        (report,) = await manager.probe(driver)
        with tempfile.TemporaryDirectory(prefix="rf-attacks-") as name:
            # An ordinary user's sandbox, and the control that runs as nobody, must be able to look into it.
            folder = _seen_by_all(name)
            async with open_world(small, folder) as world:
                yield Stage(manager, small, report, small.python or sandbox_python(), folder, world=world)
    finally:
        await manager.close()


def _seen_by_all(name: str) -> Path:
    folder = Path(name)
    folder.chmod(0o755)
    return folder
