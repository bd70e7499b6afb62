import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from raptorflow.sandbox.pool.pool import Maker, WarmPool
from raptorflow.sandbox.pool.pressure import MemoryPressure
from raptorflow.sandbox.pool.settings import PoolSettings

Pause = Callable[[], Awaitable[None]]


class Place:
    """A pool over a clock that stands still, whose members are numbered."""

    def __init__(self, **settings: object) -> None:
        self.now = 1000.0
        self.takes = 2.0
        self.tried: list[float] = []
        self.made: list[str] = []
        self.gone: list[str] = []
        self.dead: set[str] = set()
        self.silent: set[str] = set()
        self.trouble: Exception | None = None
        self.pressed = False
        self.gate: asyncio.Event | None = None
        self._numbers = count(1)
        self.pool = WarmPool[str, str](
            "test",
            PoolSettings.model_validate({"refill_at_once": 100, "ping_seconds": 0.01, **settings}),
            Maker(self._make, self._ping, self._discard),
            lambda: self.pressed,
            lambda: self.now,
        )

    async def ask(self, key: str = "k", times: int = 1) -> list[str | None]:
        claimed = [await self.pool.claim(key) for _ in range(times)]
        await self.tick()
        return claimed

    async def tick(self, later: float = 0.0) -> None:
        self.now += later
        self.pool.tick()
        if self.gate is None:
            await self.pool.settle()

    def ready(self) -> list[str]:
        return [member for member in self.made if member not in self.gone]

    async def _make(self, key: str) -> str:
        self.tried.append(self.now)
        if self.trouble:
            raise self.trouble
        if self.gate:
            await self.gate.wait()
        self.now += self.takes
        self.made.append(f"{key}{next(self._numbers)}")
        return self.made[-1]

    async def _ping(self, member: str) -> None:
        if member in self.dead:
            raise ConnectionError("gone")
        if member in self.silent:
            await asyncio.Event().wait()

    async def _discard(self, member: str) -> None:
        self.gone.append(member)


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"raptorflow_sandbox_pool_{name}", {"pool": "test", **labels}) or 0.0


async def test_a_first_claim_finds_nothing_and_a_second_finds_what_it_caused() -> None:
    place = Place()
    assert await place.ask() == [None]
    assert place.made == ["k1"]
    assert await place.pool.claim("k") == "k1"


async def test_a_member_is_never_given_out_twice() -> None:
    place = Place(min_ready=4)
    await place.ask()
    claimed = await asyncio.gather(*(place.pool.claim("k") for _ in range(10)))
    members = [member for member in claimed if member]
    assert sorted(members) == ["k1", "k2", "k3", "k4"]
    assert claimed.count(None) == 6


async def test_hits_and_misses_are_counted_and_the_size_is_shown() -> None:
    place = Place(min_ready=2)
    hits, misses = metric("hits_total"), metric("misses_total")
    await place.ask()
    assert (metric("ready"), metric("target")) == (2, 2)
    await place.pool.claim("k")
    assert (metric("ready"), metric("target")) == (1, 2)
    assert (metric("hits_total") - hits, metric("misses_total") - misses) == (1, 1)


async def test_a_dead_or_silent_member_is_thrown_away_and_the_next_one_tried() -> None:
    place = Place(min_ready=3)
    await place.ask()
    place.dead.add("k1")
    place.silent.add("k2")
    assert await place.pool.claim("k") == "k3"
    await place.pool.settle()
    assert place.gone == ["k1", "k2"]


async def test_a_claim_that_is_cancelled_while_the_member_is_tried_does_not_leave_it_behind() -> None:
    place = Place(min_ready=1, ping_seconds=60)
    await place.ask()
    place.silent.add("k1")
    claim = asyncio.create_task(place.pool.claim("k"))
    await asyncio.sleep(0)
    claim.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claim
    await place.pool.settle()
    assert place.gone == ["k1"]


async def test_more_is_kept_ready_while_more_is_asked_for_and_less_afterwards() -> None:
    place = Place(max_ready=20, max_total=20, window_seconds=10)
    await place.ask(times=1)
    few = len(place.ready())
    await place.ask(times=30)
    many = place.pool.ready
    assert few < 3 < many
    await place.tick(40)
    assert place.pool.ready == 1


async def test_slow_making_keeps_more_ready() -> None:
    sizes: list[int] = []
    for takes in (0.05, 3.0):
        place = Place(max_ready=50, max_total=50)
        for _ in range(20):
            place.pool.observe("k", takes)
        place.takes = 0
        await place.ask(times=60)
        sizes.append(place.pool.ready)
    assert sizes[0] < sizes[1]


async def test_of_all_kinds_no_more_are_ready_than_the_total_and_the_least_recent_give_way() -> None:
    place = Place(min_ready=3, max_total=7)
    for key in ("old", "mid", "new"):
        place.now += 1
        await place.ask(key)
    assert place.pool.ready == 7
    kept = [member[:3] for member in place.ready()]
    assert (kept.count("old"), kept.count("mid"), kept.count("new")) == (1, 3, 3)
    await place.ask("old")
    kept = [member[:3] for member in place.ready()]
    assert kept.count("mid") == 1


async def test_a_kind_nobody_asks_for_is_kept_no_more() -> None:
    place = Place(min_ready=2, idle_seconds=100)
    await place.ask()
    await place.tick(90)
    assert place.pool.ready == 2
    await place.tick(20)
    assert place.pool.ready == 0
    assert sorted(place.gone) == sorted(place.made)


async def test_a_member_that_grew_old_is_replaced() -> None:
    place = Place(min_ready=1, max_age_seconds=50, idle_seconds=1000)
    await place.ask()
    await place.tick(51)
    assert (place.made, place.gone) == (["k1", "k2"], ["k1"])


async def test_a_member_that_grew_old_since_the_last_look_is_not_given_out() -> None:
    place = Place(min_ready=1, max_age_seconds=50)
    await place.ask()
    place.now += 51
    assert await place.pool.claim("k") is None
    await place.pool.settle()
    assert place.gone == ["k1"]


async def test_nothing_is_made_ahead_while_memory_is_short() -> None:
    place = Place(min_ready=2)
    place.pressed = True
    await place.ask()
    assert place.made == []
    place.pressed = False
    await place.tick()
    assert place.pool.ready == 2


async def test_no_more_are_made_at_once_than_allowed_and_the_rest_follows() -> None:
    place = Place(min_ready=5, refill_at_once=2)
    place.gate = asyncio.Event()
    await place.ask()
    await place.tick()
    await asyncio.sleep(0)
    assert len(place.tried) == 2
    place.gate.set()
    await place.pool.settle()
    assert place.pool.ready == 5


async def test_what_is_being_made_counts_as_made() -> None:
    place = Place(min_ready=2)
    place.gate = asyncio.Event()
    await place.ask()
    await place.tick()
    await place.tick()
    place.gate.set()
    await place.pool.settle()
    assert place.pool.ready == 2


async def test_trouble_is_logged_once_and_tried_again_ever_more_rarely() -> None:
    place = Place(min_ready=1, retry_seconds=1, idle_seconds=10_000)
    place.trouble = OSError("no space left")
    with capture_logs() as lines:
        await place.ask()
        for _ in range(62):
            await place.tick(1)
    assert [line["reason"] for line in lines] == ["OSError: no space left"]
    assert [round(tried - 1000) for tried in place.tried] == [0, 1, 3, 7, 15, 31]
    place.trouble = None
    await place.tick(1)
    assert place.pool.ready == 1


async def test_another_reason_is_news() -> None:
    place = Place(min_ready=1, retry_seconds=1)
    with capture_logs() as lines:
        for trouble in (OSError("full"), OSError("full"), OSError("away")):
            place.trouble = trouble
            await place.ask()
            place.now += 60
    assert [line["reason"] for line in lines] == ["OSError: full", "OSError: away"]


async def test_closing_ends_what_is_ready_and_what_is_being_made() -> None:
    place = Place(min_ready=2)
    await place.ask()
    place.gate = asyncio.Event()
    await place.ask("other")
    await place.pool.close()
    assert sorted(place.gone) == ["k1", "k2"]
    assert await place.pool.claim("k") is None
    place.pool.tick()
    assert (place.pool.ready, metric("ready"), metric("target")) == (0, 0, 0)


async def test_a_member_that_is_finished_in_spite_of_closing_is_thrown_away() -> None:
    gone: list[str] = []
    begun = asyncio.Event()

    async def make(_: str) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "stubborn"
        raise AssertionError

    async def discard(member: str) -> None:
        gone.append(member)

    async def ping(_: str) -> None:
        """It answers."""

    pool = WarmPool[str, str]("test", PoolSettings(), Maker(make, ping, discard), lambda: False)
    await pool.claim("k")
    pool.tick()
    await begun.wait()
    await pool.close()
    assert gone == ["stubborn"]


async def test_a_member_that_cannot_be_removed_does_not_hold_up_the_others() -> None:
    async def make(_: str) -> str:
        return "member"

    async def discard(_: str) -> None:
        raise OSError("busy")

    async def ping(_: str) -> None:
        """It answers."""

    pool = WarmPool[str, str]("test", PoolSettings(min_ready=2), Maker(make, ping, discard), lambda: False)
    await pool.claim("k")
    pool.tick()
    await pool.settle()
    with capture_logs() as lines:
        await pool.close()
    assert [line["reason"] for line in lines] == ["OSError: busy", "OSError: busy"]


async def test_in_the_background_a_miss_leads_to_a_ready_member() -> None:
    made = asyncio.Event()

    async def make(key: str) -> str:
        made.set()
        return key

    async def nothing(_: str) -> None:
        """It answers, and goes."""

    settings = PoolSettings(look_seconds=60, refill_delay_seconds=0)
    pool = WarmPool[str, str]("test", settings, Maker(make, nothing, nothing), lambda: False)
    pool.start()
    assert await pool.claim("k") is None
    await made.wait()
    await pool.settle()
    assert await pool.claim("k") == "k"
    await pool.close()


@pytest.mark.parametrize(
    ("available", "stalled", "pressed"),
    [("900000", "0.00", False), ("100000", "0.00", True), ("900000", "35.10", True)],
)
def test_little_memory_and_waiting_for_memory_are_pressure(
    tmp_path: Path, available: str, stalled: str, pressed: bool
) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 8000000 kB\nMemAvailable:   {available} kB\n")
    (tmp_path / "pressure").mkdir()
    words = f"some avg10={stalled} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0.00\n"
    (tmp_path / "pressure" / "memory").write_text(words)
    assert MemoryPressure(512 * 2**20, 20, tmp_path)() is pressed


def test_a_kernel_that_shows_nothing_is_not_under_pressure(tmp_path: Path) -> None:
    assert MemoryPressure(512 * 2**20, 20, tmp_path)() is False


def test_this_machine_can_be_asked() -> None:
    assert MemoryPressure(2**60, 100)() is True
    assert MemoryPressure(0, 101)() is False


async def test_over_many_random_days_no_member_is_lost_or_given_out_twice() -> None:
    chance = random.Random(7)
    place = Place(
        min_ready=1, max_ready=6, max_total=9, idle_seconds=30, max_age_seconds=20, window_seconds=10
    )
    given: list[str] = []
    for _ in range(600):
        place.now += chance.random() * 5
        place.pressed = chance.random() < 0.1
        place.trouble = OSError("full") if chance.random() < 0.1 else None
        for _ in range(chance.randrange(4)):
            if place.made and chance.random() < 0.2:
                place.dead.add(chance.choice(place.made))
            if member := await place.pool.claim(chance.choice("abc")):
                assert member not in place.dead
                given.append(member)
        await place.tick()
        assert place.pool.ready <= 9
    await place.pool.close()
    assert len(given) > 50
    assert sorted([*given, *place.gone]) == sorted(place.made)
