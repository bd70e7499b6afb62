"""One sandbox of a kind is frozen; those used least recently are forgotten; what fails is not tried again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from raptorflow.sandbox.driver import Blueprint, Handle, SandboxDriver, Snapshot
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.running.copies import Copies
from raptorflow.skills.capabilities import Limits


@dataclass
class Frozen:
    """Stands for a driver that freezes: the driver of machines is tried in `tests/integration`."""

    fails: bool = False
    name: str = "freezing"
    alive: set[str] = field(default_factory=set[str])
    kept: list[Snapshot] = field(default_factory=list[Snapshot])
    made: int = 0
    created: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, _blueprint: Blueprint, sandbox_id: str, _labels: Mapping[str, str]) -> Handle:
        self.alive.add(sandbox_id)
        self.created.set()
        return Handle(self.name, sandbox_id)

    async def snapshot(self, handle: Handle) -> Snapshot:
        await asyncio.sleep(0)
        if self.fails:
            raise SandboxStartFailed("It cannot be frozen.")
        self.made += 1
        self.kept.append(Snapshot(self.name, Path(handle.sandbox_id)))
        return self.kept[-1]

    async def destroy(self, handle: Handle) -> None:
        self.alive.remove(handle.sandbox_id)

    async def forget(self, snapshot: Snapshot) -> None:
        self.kept.remove(snapshot)

    async def restore(self, *_: object) -> Handle:
        raise NotImplementedError

    probe = prepare = channel = stats = list = close = restore


def copies(driver: Frozen, most: int = 2) -> Copies:
    return Copies(cast(SandboxDriver, driver), most)


def blueprint(number: int) -> Blueprint:
    return Blueprint(Limits(), (), Path(str(number)), reach=False, workspace_bytes=number)


async def test_however_many_ask_at_once_one_is_frozen() -> None:
    driver = Frozen()
    several = copies(driver)
    assert several.of(blueprint(1)) is None
    await asyncio.gather(*(several.freeze(blueprint(1)) for _ in range(5)))
    assert (driver.made, driver.alive) == (1, set())
    assert several.of(blueprint(1)) == driver.kept[0]


async def test_the_one_used_least_recently_is_forgotten() -> None:
    driver = Frozen()
    several = copies(driver)
    for number in (1, 2):
        await several.freeze(blueprint(number))
    first = several.of(blueprint(1))
    await several.freeze(blueprint(3))
    assert several.of(blueprint(1)) == first
    assert several.of(blueprint(2)) is None
    assert driver.kept == [several.of(blueprint(1)), several.of(blueprint(3))]


async def test_what_cannot_be_frozen_is_not_tried_again() -> None:
    driver = Frozen(fails=True)
    several = copies(driver)
    await several.freeze(blueprint(1))
    driver.fails = False
    await several.freeze(blueprint(1))
    assert (several.of(blueprint(1)), driver.made, driver.alive) == (None, 0, set())


async def test_what_nothing_came_up_from_is_forgotten() -> None:
    driver = Frozen()
    several = copies(driver)
    await several.freeze(blueprint(1))
    for _ in range(2):
        await several.give_up(blueprint(1), "It was changed.")
    await several.freeze(blueprint(1))
    assert (several.of(blueprint(1)), driver.kept, driver.made) == (None, [], 1)


async def test_what_is_frozen_meanwhile_is_there_for_the_next() -> None:
    driver = Frozen()
    several = copies(driver)
    for _ in range(3):
        several.freeze_soon(blueprint(1))
    await several.freeze(blueprint(1))
    several.freeze_soon(blueprint(1))
    await several.close()
    assert (driver.made, driver.alive) == (1, set())


async def test_a_freeze_that_is_given_up_leaves_no_sandbox() -> None:
    driver = Frozen()
    several = copies(driver)
    several.freeze_soon(blueprint(1))
    await driver.created.wait()
    await several.close()
    assert (driver.made, driver.alive, several.of(blueprint(1))) == (0, set(), None)


@pytest.mark.parametrize("driver", [Frozen(), object()], ids=["none are wanted", "it freezes none"])
async def test_where_none_are_kept_none_are_made(driver: object) -> None:
    several = Copies(cast(SandboxDriver, driver), 0 if isinstance(driver, Frozen) else 2)
    await several.freeze(blueprint(1))
    assert several.of(blueprint(1)) is None
