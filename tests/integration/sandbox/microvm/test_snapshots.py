"""Guests that go on from a frozen one: each becomes another, and none is started from what was changed."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from raptorflow.sandbox.agent import programs
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import Handle, Snapshot
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.pool.settings import PoolSettings
from raptorflow.sandbox.running.commands import blueprint_of, program_of
from raptorflow.sandbox.running.supply import Supply
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]
LOOK = """
import os, time
print(os.urandom(8).hex(), open('/proc/sys/kernel/random/boot_id').read(), time.time())
"""
FROZEN_SECONDS = 120
pytestmark = pytest.mark.verify


@pytest.fixture
def spec(make_spec: MakeSpec) -> SandboxSpec:
    return make_spec(LOOK)


@pytest.fixture
async def frozen(driver: MicroVmDriver, spec: SandboxSpec) -> AsyncGenerator[Snapshot]:
    handle = await driver.create(blueprint_of(spec), "frozen", {})
    made = await driver.snapshot(handle)
    await driver.destroy(handle)
    yield made
    await driver.forget(made)


async def look(driver: MicroVmDriver, handle: Handle, spec: SandboxSpec) -> list[str]:
    """What a copy says of itself after it was given another identity."""
    link = Link(await driver.channel(handle))
    await link.open()
    await link.rekey()
    output: list[bytes] = []
    running = await programs.start(
        link, program_of(spec, SandboxSettings()), lambda _, part: output.append(part)
    )
    assert await running.wait() == 0
    await link.close()
    return b"".join(output).decode().split()


async def test_two_copies_of_one_guest_are_two_guests(
    driver: MicroVmDriver, frozen: Snapshot, spec: SandboxSpec, kept: Callable[[], list[str]]
) -> None:
    said: list[list[str]] = []
    began = time.time()
    for name in ("one", "two"):
        handle = await driver.restore(frozen, blueprint_of(spec), name, {})
        said.append(await look(driver, handle, spec))
        await driver.destroy(handle)
    (first, first_boot, first_time), (second, second_boot, second_time) = said
    assert first != second
    assert first_boot != second_boot
    assert began <= float(first_time) < float(second_time) <= time.time()
    await driver.forget(frozen)
    assert kept() == []


async def test_a_changed_snapshot_is_not_started(
    driver: MicroVmDriver, frozen: Snapshot, spec: SandboxSpec
) -> None:
    with (frozen.folder / "memory").open("r+b") as memory:
        memory.seek(-1, 2)
        memory.write(b"\xff")
    with pytest.raises(SandboxStartFailed, match="was changed"):
        await driver.restore(frozen, blueprint_of(spec), "changed", {})


async def test_a_snapshot_is_not_started_for_another_blueprint(
    driver: MicroVmDriver, frozen: Snapshot, make_spec: MakeSpec
) -> None:
    with pytest.raises(SandboxStartFailed, match="another monitor, image or blueprint"):
        await driver.restore(frozen, blueprint_of(make_spec(LOOK, limits={"pids": 3})), "other", {})


async def test_a_guest_can_be_stopped_and_let_go_on(
    driver: MicroVmDriver, spec: SandboxSpec, kept: Callable[[], list[str]]
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
        await driver.snapshot(handle)
    await link.close()
    await driver.destroy(handle)
    assert kept() == []


def change_the_snapshot(parts: Path) -> None:
    (memory,) = parts.glob("snapshots/*/memory")
    memory.write_bytes(b"other")


async def test_a_supply_goes_on_from_what_it_has_frozen(
    driver: MicroVmDriver, spec: SandboxSpec, parts: Path, kept: Callable[[], list[str]]
) -> None:
    """What is often built anew is frozen; what comes then is a copy, as long as nothing was changed."""
    supply = Supply(driver, PoolSettings(max_total=0), 120, 512)
    blueprint = blueprint_of(spec)

    async def take() -> str:
        sandbox, path = await supply.take(blueprint, {})
        await sandbox.link.ping()
        await sandbox.destroy()
        return path

    assert [await take(), await take()] == ["cold", "cold"]
    async with asyncio.timeout(FROZEN_SECONDS):
        while await take() != "snapshot":
            continue
    change_the_snapshot(parts)
    assert [await take(), await take()] == ["cold", "cold"]
    await supply.close()
    assert kept() == []
