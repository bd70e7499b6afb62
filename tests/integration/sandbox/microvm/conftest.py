"""A driver of the session's own, on QEMU, and a short way to run code in a guest."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

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
def most_seconds() -> float:
    return 120


@pytest.fixture
def run_code(driver: MicroVmDriver, make_spec: MakeSpec) -> RunCode:
    """Run Python code in a guest of its own."""

    async def run(code: str, **fields: Any) -> SandboxResult:
        return await run_once(driver, make_spec(code, **fields), settings=POLICY)

    return run
