"""A driver of the session's own, on QEMU, and a short way to run code in a guest."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
MakeSpec = Callable[..., SandboxSpec]
# Emulated, on a machine that does other things too.
POLICY = SandboxSettings(start_seconds=120)


@pytest.fixture
def kept(parts: Path) -> Callable[[], list[str]]:
    """The names of what machines of this session still have on disk."""
    return lambda: [name for place in ("machines", "users", "snapshots") for name in _names(parts / place)]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


@pytest.fixture(scope="session")
def vm_settings(parts: Path) -> MicroVmSettings:
    return MicroVmSettings(folder=parts, monitor="qemu", boot_seconds=120)


@pytest.fixture(scope="session")
async def driver(vm_settings: MicroVmSettings) -> AsyncGenerator[MicroVmDriver]:
    made = MicroVmDriver(vm_settings, POLICY)
    yield made
    await made.close()


@pytest.fixture
def make_spec(tmp_path: Path) -> MakeSpec:
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
            "limits": Limits.model_validate({"timeout_seconds": 120, **(limits or {})}),
        }
        return SandboxSpec(**{**given, **fields})

    return make


@pytest.fixture
def run_code(driver: MicroVmDriver, make_spec: MakeSpec) -> RunCode:
    """Run Python code in a guest of its own."""

    async def run(code: str, **fields: Any) -> SandboxResult:
        return await run_once(driver, make_spec(code, **fields), settings=POLICY)

    return run
