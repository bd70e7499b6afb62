"""Guests that go on from a frozen one: each becomes another, and none is started from what was changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from raptorflow.sandbox.agent import programs
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import Handle, Snapshot
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.running.commands import blueprint_of, program_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]
LOOK = "import os, time; print(os.urandom(8).hex(), os.uname().nodename, int(time.time()))"
pytestmark = pytest.mark.verify


@pytest.fixture
def spec(make_spec: MakeSpec) -> SandboxSpec:
    return make_spec(LOOK)


@pytest.fixture
async def frozen(driver: MicroVmDriver, spec: SandboxSpec, tmp_path: Path) -> Snapshot:
    handle = await driver.create(blueprint_of(spec), "frozen", {})
    made = await driver.snapshot(handle, tmp_path / "snapshot")
    await driver.destroy(handle)
    return made


class _Once:
    """Waits for the agent's word that it has become another."""

    def __init__(self) -> None:
        self.done = False

    def take(self, kind: int, payload: bytes) -> None:
        self.done = kind == wire.DONE

    def lost(self, error: Exception) -> None:
        """Closed in the end."""


async def look(driver: MicroVmDriver, handle: Handle, spec: SandboxSpec, seed: bytes, name: str) -> list[str]:
    """What a copy says of itself after it was given another identity."""
    link = Link(await driver.channel(handle))
    await link.open()
    rekeyed = _Once()
    payload = wire.packed([seed, b"1900000000", name.encode()])
    await link.send(wire.REKEY, link.stream(rekeyed), payload)
    output: list[bytes] = []
    running = await programs.start(
        link, program_of(spec, SandboxSettings()), lambda _, part: output.append(part)
    )
    assert await running.wait() == 0
    assert rekeyed.done
    await link.close()
    return b"".join(output).decode().split()


async def test_two_copies_of_one_guest_are_two_guests(
    driver: MicroVmDriver, frozen: Snapshot, spec: SandboxSpec, kept: Callable[[], list[str]]
) -> None:
    said: list[list[str]] = []
    for name in ("one", "two"):
        handle = await driver.restore(frozen, blueprint_of(spec), name)
        said.append(await look(driver, handle, spec, name.encode() * 16, name))
        await driver.destroy(handle)
    (first, first_name, first_time), (second, second_name, _) = said
    assert first != second
    assert (first_name, second_name) == ("one", "two")
    assert 1_900_000_000 <= int(first_time) < 1_900_000_600
    assert kept() == []


async def test_a_changed_snapshot_is_not_started(
    driver: MicroVmDriver, frozen: Snapshot, spec: SandboxSpec
) -> None:
    with (frozen.folder / "memory").open("r+b") as memory:
        memory.seek(-1, 2)
        memory.write(b"\xff")
    with pytest.raises(SandboxStartFailed, match="was changed"):
        await driver.restore(frozen, blueprint_of(spec), "changed")


async def test_a_snapshot_is_not_started_for_another_blueprint(
    driver: MicroVmDriver, frozen: Snapshot, make_spec: MakeSpec
) -> None:
    with pytest.raises(SandboxStartFailed, match="another monitor, image or blueprint"):
        await driver.restore(frozen, blueprint_of(make_spec(LOOK, limits={"pids": 3})), "other")


async def test_a_guest_can_be_stopped_and_let_go_on(
    driver: MicroVmDriver, spec: SandboxSpec, tmp_path: Path
) -> None:
    handle = await driver.create(blueprint_of(spec), "paused", {})
    link = Link(await driver.channel(handle))
    await link.open()
    await driver.pause(handle)
    before = (await driver.stats(handle)).cpu_ms
    running = programs.start(link, program_of(spec, SandboxSettings()), lambda _, __: None)
    await driver.resume(handle)
    assert await (await running).wait() == 0
    assert ((await driver.stats(handle)).cpu_ms or 0) > (before or 0)
    with pytest.raises(SandboxStartFailed, match="channel is open"):
        await driver.snapshot(handle, tmp_path / "never")
    await link.close()
    await driver.destroy(handle)
