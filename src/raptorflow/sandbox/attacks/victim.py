"""A manager that is going to be killed: starts sandboxes that sleep, and says nothing more.

python -m raptorflow.sandbox.attacks.victim STATE_DIR COUNT MARK < SETTINGS.json
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from raptorflow.sandbox.attacks.program import PROGRAM, program, write
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

SLEEP_SECONDS = 60


async def main(settings: SandboxSettings, state: Path, count: int, mark: str) -> None:
    """Run them all at once."""
    # A quarter of the places is kept for other organisations.
    room = {"state_dir": state, "max_concurrent": 2 * count}
    manager = build_manager(settings.model_copy(update=room))
    text = program({"sleep": f"time.sleep({SLEEP_SECONDS})"}, {}, apart=False, outside=False)
    skill = _skill(state, text)
    spec = SandboxSpec(
        command=("python", PROGRAM, mark),
        skill_dir=skill,
        python=sandbox_python(),
        run_id=mark,
        limits=Limits(timeout_seconds=SLEEP_SECONDS, memory_bytes=64 * MIB, disk_bytes=8 * MIB),
    )
    await asyncio.gather(*(manager.run(spec) for _ in range(count)))


def _skill(state: Path, text: str) -> Path:
    folder = Path(tempfile.mkdtemp(dir=state))
    folder.chmod(0o755)
    write(folder, text)
    return folder


if __name__ == "__main__":
    given = SandboxSettings.model_validate_json(sys.stdin.read())
    asyncio.run(main(given, Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
