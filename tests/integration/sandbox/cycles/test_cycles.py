"""A thousand sandboxes are made and destroyed, each with something that goes wrong; nothing is left."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.sandbox.cycles.faults import FAULTS, Fault
from tests.support.awaits import CancelledAt
from tests.support.descriptors import open_descriptors, opened_since

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.leftovers import PREFIX
from raptorflow.sandbox.drivers.local.processes import children
from raptorflow.sandbox.errors import SandboxGuaranteeMissing, SandboxUnavailable
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

CODE = "import sys, time; print('up', flush=True); sys.stdin.read(); time.sleep(0.05)"
LIMITS = Limits(timeout_seconds=3, memory_bytes=64 * MIB, disk_bytes=8 * MIB, pids=16)
ENDS = {"ok", "error", "signal", "sandbox_error", "timeout"}
# More awaits than a run has from its request to its result; those above it are runs without a fault.
MOST_AWAITS = 60
# A loop of their own: what other tests keep running is no task of these.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Stage:
    """One driver for all rounds; `others` are other tests' parts, which may start processes meanwhile."""

    driver: LocalDriver
    manager: SandboxManager
    spec: SandboxSpec
    others: set[int] = field(default_factory=lambda: set(children(os.getpid())))

    async def round(self, fault: Fault) -> None:
        """A run with something that goes wrong; how it ends is one of the ways that are foreseen."""
        with pytest.MonkeyPatch.context() as patch:
            fault(self.driver, patch)
            with suppress(SandboxUnavailable, SandboxGuaranteeMissing):
                result = await self.manager.run(self.spec)
                assert result.status in ENDS, result
        await self.nothing_is_left()

    async def given_up(self, *at: int) -> int:
        """A run that is cancelled at some of its awaits; how many it came to."""
        work = CancelledAt(self.manager.run(self.spec), *at)
        with suppress(asyncio.CancelledError, SandboxUnavailable, SandboxGuaranteeMissing):
            await asyncio.ensure_future(_await(work))
        await self.nothing_is_left()
        return work.awaits

    async def nothing_is_left(self) -> None:
        assert await self.driver.list() == []
        assert set(children(os.getpid())) <= self.others


async def _await(work: CancelledAt) -> None:
    await work


@dataclass
class Held:
    """What this process and its sandboxes have of the machine."""

    mounts: int
    tasks: int
    groups: int
    temporary: list[str]
    notes: int

    @classmethod
    def now(cls, state: Path) -> "Held":
        walk = os.walk("/sys/fs/cgroup")
        mine = f"{PREFIX}{os.getpid()}-"
        return cls(
            len(Path("/proc/self/mountinfo").read_text().splitlines()),
            len(asyncio.all_tasks()),
            sum(name.startswith(mine) for _, names, _ in walk for name in names),
            os.listdir(tempfile.gettempdir()),
            len(os.listdir(state)),
        )


@pytest_asyncio.fixture(loop_scope="module")
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Stage]:
    for name in ("skill", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    settings = SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=tmp_path / "state")
    driver = LocalDriver(settings)
    spec = SandboxSpec(
        ("python", "-c", CODE), tmp_path / "skill", sandbox_python(), stdin=b"x" * 200_000, limits=LIMITS
    )
    yield Stage(driver, SandboxManager(settings, {"local": driver}), spec)
    await driver.close()
    assert os.listdir(tmp_path / "state") == []


async def rounds(stage: Stage, state: Path, number: int) -> None:
    """Half of them with faults in turn, half given up at one await after the other."""
    assert (await stage.manager.run(stage.spec)).status == "ok"
    before, descriptors = Held.now(state), open_descriptors()
    every = count(1)
    for name, fault in islice(cycle(FAULTS.items()), number // 2):
        try:
            await stage.round(fault)
            at = next(every) % MOST_AWAITS + 1
            await stage.given_up(at, at + 1 + at % 3)
        except AssertionError as error:
            raise AssertionError(f"after {name}") from error
    assert (await stage.manager.run(stage.spec)).status == "ok"
    assert Held.now(state) == before
    assert not opened_since(descriptors)


async def test_a_hundred_rounds_with_faults_leave_nothing(stage: Stage, tmp_path: Path) -> None:
    await rounds(stage, tmp_path / "state", 100)


@pytest.mark.verify
@pytest.mark.timeout(1800)
async def test_a_thousand_rounds_with_faults_leave_nothing(stage: Stage, tmp_path: Path) -> None:
    await rounds(stage, tmp_path / "state", 1000)


@pytest.mark.verify
async def test_at_each_await_a_run_can_be_given_up(stage: Stage) -> None:
    """Also while it is cleaned up after that."""
    awaits = await stage.given_up()
    assert awaits > 10
    for at in range(1, awaits + 1):
        for again in (at, at + 1, at + 2):
            await stage.given_up(at, again)
