"""A program with a driver of its own, for tests that kill it: boots a guest, says so, and waits.

python manager_process.py FOLDER SKILL
"""

import asyncio
import sys
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec


async def main(folder: Path, skill: Path) -> None:
    """Boot one guest and keep it."""
    settings = MicroVmSettings(folder=folder, monitor="qemu", boot_seconds=120)
    driver = MicroVmDriver(settings, SandboxSettings())
    spec = SandboxSpec(("python", "-c", "1"), skill, sandbox_python())
    await driver.create(blueprint_of(spec), "orphan", {"run": "killed"})
    print("up", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
