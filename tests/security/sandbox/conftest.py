"""A sandbox to attack: each attack is Python code that runs inside and prints what it got."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

Attack = Callable[..., Coroutine[Any, Any, SandboxResult]]
SMALL = {"timeout_seconds": 20.0, "memory_bytes": 64 * MIB, "disk_bytes": 8 * MIB, "pids": 16}


@pytest.fixture(scope="session")
async def manager() -> AsyncGenerator[SandboxManager]:
    made = build_manager(SandboxSettings(pool=NONE_READY, max_artifact_bytes=1000, max_artifacts=3))
    yield made
    await made.close()


@pytest.fixture
def attack(manager: SandboxManager, tmp_path: Path) -> Attack:
    """Run code inside, under small limits."""
    skill, out = tmp_path / "skill", tmp_path / "artifacts"
    skill.mkdir()
    out.mkdir()
    (skill / "data.txt").write_text("the skill's own file")

    async def run(code: str, **limits: float) -> SandboxResult:
        return await manager.run(
            SandboxSpec(
                command=("python", "-c", code),
                skill_dir=skill,
                python=sandbox_python(),
                limits=Limits.model_validate({**SMALL, **limits}),
                artifacts_dir=out,
                run_id="attack",
            )
        )

    return run
