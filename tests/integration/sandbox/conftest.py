"""A sandbox manager of the session's own, and a short way to run code in it."""

import subprocess
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.microvm_parts import built_image

from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
MakeSpec = Callable[..., SandboxSpec]


@pytest.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[SandboxManager]:
    """The manager, with whatever guarantees this user can have."""
    state = tmp_path_factory.mktemp("state")
    manager = build_manager(SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=state))
    yield manager
    await manager.close()
    assert list(state.iterdir()) == []


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A driver's folder with nothing in it but the image."""
    folder = tmp_path_factory.mktemp("microvm")
    (folder / "image").symlink_to(built_image())
    return folder


@pytest.fixture
def most_seconds() -> float:
    """How long a run may take, unless its spec says otherwise."""
    return 20


@pytest.fixture
def make_spec(tmp_path: Path, most_seconds: float) -> MakeSpec:
    """A spec that runs Python code; further arguments are the spec's own, and `limits` a mapping."""

    def make(code: str, *, limits: dict[str, float] | None = None, **fields: Any) -> SandboxSpec:
        skill = tmp_path / "skill"
        skill.mkdir(exist_ok=True)
        given: dict[str, Any] = {
            "command": ("python", "-c", code),
            "skill_dir": skill,
            "python": sandbox_python(),
            "run_id": "test",
            "artifacts_dir": tmp_path / "artifacts",
            "limits": Limits.model_validate({"timeout_seconds": most_seconds, **(limits or {})}),
        }
        return SandboxSpec(**{**given, **fields})

    return make


@pytest.fixture
def run_code(sandbox: SandboxManager, make_spec: MakeSpec) -> RunCode:
    """Run Python code."""

    async def run(code: str, **fields: Any) -> SandboxResult:
        return await sandbox.run(make_spec(code, **fields))

    return run


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An environment with a package."""
    folder = tmp_path / "env"
    subprocess.run([sandbox_python(), "-m", "venv", "--without-pip", folder], check=True)
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    (packages / "made_up.py").write_text("NAME = 'from the environment'")
    return folder
