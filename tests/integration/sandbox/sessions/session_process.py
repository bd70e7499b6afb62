"""A program with a session of its own, for a test that kills it: a marked process runs in it.

python session_process.py STATE_DIR WORK_DIR MARK
"""

import asyncio
import sys
from pathlib import Path

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.sessions.open import SandboxSessions, built_by
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec


async def main(state: Path, folder: Path, mark: str) -> None:
    """Open it, say so on a line, and wait to be killed."""
    settings = SandboxSettings(allow_supervised=True, state_dir=state)
    driver = LocalDriver(settings)
    await driver.probe()
    sessions = SandboxSessions(built_by(driver, settings), settings, SessionSettings())
    session = await sessions.open(
        SandboxSpec(command=("python",), skill_dir=folder, python=sandbox_python(), run_id="victim")
    )
    await session.execute(
        f"import subprocess\nsubprocess.Popen(['sh', '-c', 'while :; do sleep 600; done', {mark!r}]).pid"
    )
    print("open", flush=True)
    await session.execute("import time\ntime.sleep(600)")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
