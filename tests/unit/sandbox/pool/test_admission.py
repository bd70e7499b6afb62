import asyncio
from collections.abc import Callable

import pytest

from raptorflow.sandbox.errors import SandboxBusy
from raptorflow.sandbox.pool.admission import Admission
from raptorflow.sandbox.pool.settings import QueueSettings


class Runs:
    """Runs that stay in their place until they are told to go."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.inside: list[str] = []
        self._go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, *names: str) -> None:
        """Names are `tenant/run`."""
        for name in names:
            self._go[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name))
            await settled()

    async def end(self, name: str) -> None:
        self._go[name].set()
        await self.tasks[name]
        await settled()

    async def cancel(self, name: str) -> None:
        self.tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.tasks[name]
        await settled()

    async def _run(self, name: str) -> None:
        async with self.admission.place(name.partition("/")[0]):
            self.inside.append(name)
            try:
                await self._go[name].wait()
            finally:
                self.inside.remove(name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def queue(places: int, clock: Callable[[], float] | None = None, **settings: object) -> Runs:
    given = QueueSettings.model_validate(settings)
    return Runs(Admission(places, given, clock) if clock else Admission(places, given))


async def test_no_more_run_than_there_are_places() -> None:
    runs = queue(2, tenant_running=2)
    await runs.begin("a/1", "a/2", "a/3")
    assert runs.inside == ["a/1", "a/2"]
    await runs.end("a/1")
    assert runs.inside == ["a/2", "a/3"]
    assert (runs.admission.running, runs.admission.waiting) == (2, 0)


async def test_a_tenant_who_asks_for_a_hundred_does_not_hold_up_one_who_asks_for_one() -> None:
    runs = queue(2, tenant_running=2, tenant_waiting=200)
    await runs.begin(*(f"noisy/{number}" for number in range(100)), "quiet/1")
    await runs.end("noisy/0")
    assert "quiet/1" in runs.inside


async def test_one_tenant_leaves_a_quarter_of_the_places_to_others() -> None:
    runs = queue(8)
    await runs.begin(*(f"noisy/{number}" for number in range(20)))
    assert len(runs.inside) == 6
    await runs.begin("quiet/1")
    assert "quiet/1" in runs.inside


async def test_with_one_place_a_tenant_may_have_it() -> None:
    runs = queue(1)
    await runs.begin("a/1")
    assert runs.inside == ["a/1"]


async def test_a_weight_of_two_gets_twice_the_places() -> None:
    runs = queue(6, tenant_running=6, tenant_weights={"paid": 2})
    await runs.begin(*(f"first/{number}" for number in range(6)))
    await runs.begin(*(f"{tenant}/{number}" for number in range(6) for tenant in ("free", "paid")))
    for number in range(6):
        await runs.end(f"first/{number}")
    assert sorted(name.partition("/")[0] for name in runs.inside) == ["free"] * 2 + ["paid"] * 4


async def test_a_full_queue_refuses_and_says_how_long_it_is() -> None:
    runs = queue(1, max_waiting=2, tenant_waiting=5)
    await runs.begin("a/1", "b/1", "c/1")
    with pytest.raises(SandboxBusy) as refusal:
        async with runs.admission.place("d"):
            pass
    assert refusal.value.details == {"reason": "all", "running": 1, "waiting": 2, "retry_after_seconds": 3}
    assert refusal.value.status == 503
    assert (runs.admission.running, runs.admission.waiting) == (1, 2)


async def test_a_tenant_with_too_many_waiting_is_refused_and_another_is_not() -> None:
    runs = queue(1, tenant_waiting=1)
    await runs.begin("a/1", "a/2")
    with pytest.raises(SandboxBusy, match="1 runs of this organisation"):
        async with runs.admission.place("a"):
            pass
    await runs.begin("b/1")
    assert runs.admission.waiting == 2


async def test_the_hint_when_to_come_back_follows_how_long_runs_take() -> None:
    now = [0.0]
    runs = queue(1, lambda: now[0], max_waiting=0)
    for number in range(30):
        await runs.begin(f"a/{number}")
        now[0] += 20
        await runs.end(f"a/{number}")
    await runs.begin("a/last")
    with pytest.raises(SandboxBusy) as refusal:
        async with runs.admission.place("a"):
            pass
    assert refusal.value.details["retry_after_seconds"] == 20


async def test_cancelling_who_waits_frees_the_queue() -> None:
    runs = queue(1)
    await runs.begin("a/1", "a/2", "a/3")
    await runs.cancel("a/2")
    assert runs.admission.waiting == 1
    await runs.end("a/1")
    assert runs.inside == ["a/3"]


async def test_cancelling_who_runs_gives_the_place_to_the_next() -> None:
    runs = queue(1)
    await runs.begin("a/1", "a/2")
    await runs.cancel("a/1")
    assert runs.inside == ["a/2"]


async def test_a_place_granted_in_the_moment_of_a_cancellation_is_not_lost() -> None:
    runs = queue(1)
    await runs.begin("a/1", "a/2", "a/3")
    holder = asyncio.ensure_future(runs.end("a/1"))
    for _ in range(3):
        await asyncio.sleep(0)
        if runs.admission.waiting == 1:
            break
    assert "a/2" not in runs.inside
    runs.tasks["a/2"].cancel()
    await holder
    await settled()
    assert runs.inside == ["a/3"]
    assert (runs.admission.running, runs.admission.waiting) == (1, 0)


async def test_a_turn_that_comes_after_a_cancellation_is_passed_on() -> None:
    runs = queue(1)
    await runs.begin("a/1", "a/2", "a/3")
    # Neither task has run again when both are cancelled: the first gives its place to one already gone.
    runs.tasks["a/1"].cancel()
    runs.tasks["a/2"].cancel()
    await settled()
    assert runs.inside == ["a/3"]
    await runs.end("a/3")
    assert (runs.admission.running, runs.admission.waiting) == (0, 0)


async def test_a_failing_run_gives_its_place_back() -> None:
    runs = queue(1)
    with pytest.raises(ZeroDivisionError):
        async with runs.admission.place("a"):
            raise ZeroDivisionError
    assert runs.admission.running == 0


async def test_draining_refuses_who_waits_and_lets_who_runs_end() -> None:
    runs = queue(1)
    await runs.begin("a/1", "b/1")
    drained = asyncio.create_task(runs.admission.drain(60))
    await settled()
    with pytest.raises(SandboxBusy, match="No more"):
        await runs.tasks["b/1"]
    with pytest.raises(SandboxBusy):
        async with runs.admission.place("c"):
            pass
    assert runs.inside == ["a/1"]
    assert not drained.done()
    await runs.end("a/1")
    assert await drained == 0


async def test_draining_ends_at_its_deadline_and_says_how_many_are_left() -> None:
    runs = queue(2)
    await runs.begin("a/1", "b/1")
    assert await runs.admission.drain(0.001) == 2
