"""Where no control group holds the memory, empty files count wherever they can be made."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from raptorflow.sandbox.drivers.local import driver as local_driver
from raptorflow.sandbox.drivers.local.command import SHARED_MEMORY, TMP
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import WORK, SandboxSpec
from raptorflow.skills.capabilities import MIB

MakeSpec = Callable[..., SandboxSpec]
FILES = 60_000
PLACES = (WORK, TMP, SHARED_MEMORY)


def none_at_all(_: str) -> None:
    """No place for control groups."""


@pytest.fixture
async def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[SandboxManager]:
    """A manager that watches what it cannot have held."""
    monkeypatch.setattr(local_driver, "find_groups", none_at_all)
    settings = SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=tmp_path / "state")
    manager = build_manager(settings)
    yield manager
    await manager.close()


async def test_empty_files_use_memory_in_every_place(supervised: SandboxManager, make_spec: MakeSpec) -> None:
    statuses: dict[object, str] = {}
    for place in PLACES:
        code = (
            f"import os, time\nfor number in range({FILES}):\n"
            f"    os.close(os.open(f'{place}/{{number}}', os.O_CREAT | os.O_WRONLY))\n"
            "time.sleep(600)"
        )
        result = await supervised.run(make_spec(code, limits={"memory_bytes": 48 * MIB}))
        assert "memory" in result.weakened
        statuses[place] = result.status
    assert statuses == dict.fromkeys(PLACES, "oom")
