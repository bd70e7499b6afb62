"""What is often built anew is frozen meanwhile; the one used least recently gives way; failures rest."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from raptorflow.sandbox.driver import Blueprint, Handle, SandboxDriver, Snapshot
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.running.copies import LATELY_SECONDS, MOST_KINDS, OFTEN, REST_SECONDS, Copies
from raptorflow.skills.capabilities import Limits


@dataclass
class Freezing:
    """Stands for a driver that freezes: the driver of machines is tried in `tests/integration`."""

    fails: bool = False
    name: str = "freezing"
    alive: set[str] = field(default_factory=set[str])
    kept: list[Snapshot] = field(default_factory=list[Snapshot])
    made: int = 0
    created: asyncio.Event = field(default_factory=asyncio.Event)
    stuck: bool = False

    async def create(self, _blueprint: Blueprint, sandbox_id: str, _labels: Mapping[str, str]) -> Handle:
        self.made += 1
        self.alive.add(sandbox_id)
        self.created.set()
        return Handle(self.name, sandbox_id)

    async def snapshot(self, handle: Handle) -> Snapshot:
        if self.stuck:
            await asyncio.Event().wait()
        if self.fails:
            raise SandboxStartFailed("It cannot be frozen.")
        self.kept.append(Snapshot(self.name, Path(handle.sandbox_id)))
        return self.kept[-1]

    async def destroy(self, handle: Handle) -> None:
        self.alive.remove(handle.sandbox_id)

    async def forget(self, snapshot: Snapshot) -> None:
        self.kept.remove(snapshot)

    async def restore(self, *_: object) -> Handle:
        raise AssertionError("Nothing goes on from it here.")

    probe = prepare = channel = stats = list = close = restore


class Frozen:
    """Copies of such a driver, and a clock that a test sets."""

    def __init__(self, most: int = 2, *, fails: bool = False) -> None:
        self.now, self.pressed = 1000.0, False
        self.driver = Freezing(fails)
        self.copies = Copies(cast(SandboxDriver, self.driver), most, lambda: self.pressed, lambda: self.now)

    async def built(self, number: int, times: int = OFTEN) -> Snapshot | None:
        """Build one anew so often; what is frozen of it then."""
        for _ in range(times):
            self.copies.built_anew(blueprint(number))
        await self.copies.settle()
        return self.copies.of(blueprint(number))


def blueprint(number: int) -> Blueprint:
    return Blueprint(Limits(), (), Path(str(number)), reach=False, workspace_bytes=number)


async def test_what_is_built_once_is_not_frozen() -> None:
    frozen = Frozen()
    assert await frozen.built(1, times=OFTEN - 1) is None
    assert frozen.driver.made == 0
    assert await frozen.built(1, times=1) is not None


async def test_however_many_are_built_at_once_one_is_frozen() -> None:
    frozen = Frozen()
    assert await frozen.built(1, times=50) == frozen.driver.kept[0]
    assert (frozen.driver.made, frozen.driver.alive) == (1, set())
    await frozen.built(1, times=50)
    assert frozen.driver.made == 1


async def test_one_is_frozen_after_the_other() -> None:
    frozen = Frozen()
    for number in (1, 2) * OFTEN:
        frozen.copies.built_anew(blueprint(number))
    await frozen.copies.settle()
    assert frozen.driver.made == 1
    assert await frozen.built(2, times=1) is not None


async def test_nothing_is_frozen_while_memory_is_short() -> None:
    frozen = Frozen()
    frozen.pressed = True
    assert await frozen.built(1) is None
    frozen.pressed = False
    assert await frozen.built(1, times=1) is not None


async def test_the_one_used_least_recently_gives_way() -> None:
    frozen = Frozen()
    first, second = await frozen.built(1), await frozen.built(2)
    frozen.now += LATELY_SECONDS + 1
    assert frozen.copies.of(blueprint(1)) == first
    third = await frozen.built(3)
    assert [frozen.copies.of(blueprint(number)) for number in (1, 2, 3)] == [first, None, third]
    assert frozen.driver.kept == [first, third]
    assert second not in [first, third]


async def test_those_in_use_do_not_give_way_to_one_another() -> None:
    frozen = Frozen()
    kept = [await frozen.built(1), await frozen.built(2)]
    assert await frozen.built(3, times=20) is None
    assert (frozen.driver.made, frozen.driver.kept) == (2, kept)


async def test_what_cannot_be_frozen_rests() -> None:
    frozen = Frozen(fails=True)
    await frozen.built(1)
    frozen.driver.fails = False
    assert await frozen.built(1, times=20) is None
    assert (frozen.driver.made, frozen.driver.alive) == (1, set())
    frozen.now += REST_SECONDS
    assert await frozen.built(1) is not None


async def test_what_nothing_came_up_from_is_forgotten_and_rests() -> None:
    frozen = Frozen()
    first = await frozen.built(1)
    assert first
    for _ in range(2):
        await frozen.copies.give_up(blueprint(1), first, "It was changed.")
    assert frozen.driver.kept == []
    assert await frozen.built(1) is None
    frozen.now += REST_SECONDS
    second = await frozen.built(1)
    await frozen.copies.give_up(blueprint(1), first, "It was the one before.")
    assert frozen.copies.of(blueprint(1)) == second


async def test_one_that_is_given_up_halfway_leaves_no_sandbox_and_none_follows() -> None:
    frozen = Frozen()
    frozen.driver.stuck = True
    for _ in range(OFTEN):
        frozen.copies.built_anew(blueprint(1))
    await frozen.driver.created.wait()
    await frozen.copies.close()
    assert await frozen.built(1) is None
    assert (frozen.driver.made, frozen.driver.alive, frozen.driver.kept) == (1, set(), [])


async def test_kinds_that_were_only_counted_are_not_remembered_for_ever() -> None:
    frozen = Frozen()
    first = await frozen.built(0)
    for number in range(1, MOST_KINDS + 2):
        await frozen.built(number, times=OFTEN - 1)
    await frozen.built(1, times=OFTEN - 1)
    assert frozen.driver.kept == [first]
    assert await frozen.built(MOST_KINDS + 1, times=1) is not None


@pytest.mark.parametrize("most", [0, 2], ids=["none are wanted", "the driver freezes none"])
async def test_where_none_are_kept_none_are_made(most: int) -> None:
    driver = Freezing()
    copies = Copies(cast(SandboxDriver, object() if most else driver), most, lambda: False)
    for _ in range(2 * OFTEN):
        copies.built_anew(blueprint(1))
    await copies.settle()
    assert (copies.of(blueprint(1)), driver.made) == (None, 0)
