"""A program with a manager of its own, for tests that kill it: runs Python code and prints the result.

python manager_process.py STATE_DIR WORK_DIR CODE [LIMITS as JSON] [SETTINGS as JSON]
"""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from raptorflow.base.errors import RaptorFlowError
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits


async def main(state: Path, folder: Path, code: str, limits: str = "{}", settings: str = "{}") -> None:
    """Probe, say so on a line, run, print the result or the refusal as JSON on another."""
    given = {"allow_supervised": True, "pool": {"max_total": 0}, "state_dir": state, **json.loads(settings)}
    manager = build_manager(SandboxSettings.model_validate(given))
    report = (await manager.probe("local"))[0]
    held = {name: guarantee.holder for name, guarantee in report.guarantees.items()}
    print(json.dumps({"problem": report.problem, "held": held}), flush=True)
    spec = SandboxSpec(
        command=("python", "-c", code),
        skill_dir=folder,
        python=sandbox_python(),
        artifacts_dir=folder / "artifacts",
        limits=Limits.model_validate({"timeout_seconds": 20, **json.loads(limits)}),
    )
    try:
        answer = asdict(await manager.run(spec))
    except RaptorFlowError as error:
        answer = error.problem()
    print(json.dumps(answer, default=_text), flush=True)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
