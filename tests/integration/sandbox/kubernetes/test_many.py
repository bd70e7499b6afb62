"""Many sandboxes at once, and many in a row while everything fails now and then: nothing is ever left."""

import asyncio
import random

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.faults import Fault, Kind
from tests.support.cluster.server import FakeCluster

from raptorflow.base.errors import RaptorFlowError
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver

MADE = ("pods", "sandboxes", "sandboxclaims")
AT_ONCE, CYCLES = 8, 500
METHODS = ("GET", "POST", "DELETE", "WATCH", "EXEC")
KINDS: tuple[Kind, ...] = ("status", "cut", "cut-after", "gone-event")
STATUSES = (403, 409, 422, 429, 500, 503)


async def cycle(driver: KubernetesDriver, name: str) -> bool:
    """Create, greet, destroy; whether it came that far."""
    try:
        handle = await driver.create(BLUEPRINT, name, {})
    except RaptorFlowError:
        return False
    try:
        link = Link(await driver.channel(handle))
        await link.open()
        await link.close()
    except RaptorFlowError:
        return False
    finally:
        await gone(driver, name)
    return True


async def gone(driver: KubernetesDriver, name: str) -> None:
    """Destroy what is there, as the reaper does: again, when it did not work."""
    for handle in await insisted(driver):
        if handle.sandbox_id == name:
            for _ in range(5):
                try:
                    await driver.destroy(handle)
                except RaptorFlowError:
                    continue
                return


async def insisted(driver: KubernetesDriver) -> list[Handle]:
    while True:
        try:
            return await driver.list()
        except RaptorFlowError:
            continue


def left_on(cluster: FakeCluster) -> list[str]:
    return [name for resource in MADE for name in cluster.store.names(resource)]


@pytest.mark.parametrize("kind", ["pods", "agent-sandbox"])
async def test_many_at_once(cluster: FakeCluster, make_driver: MakeDriver, kind: str) -> None:
    cluster.has_claims = True
    driver = make_driver(kind=kind, start_seconds=60)
    await driver.prepare(BLUEPRINT)
    came = await asyncio.gather(*(cycle(driver, f"at-once-{number}") for number in range(AT_ONCE)))
    assert all(came)
    assert left_on(cluster) == []
    assert cluster.node.containers == {}


@pytest.mark.verify
@pytest.mark.parametrize("kind", ["pods", "agent-sandbox"])
async def test_nothing_is_left_after_faults_at_every_step(
    cluster: FakeCluster, make_driver: MakeDriver, kind: str
) -> None:
    cluster.has_claims = True
    driver = make_driver(kind=kind, retries=1, start_seconds=10)
    await driver.prepare(BLUEPRINT)
    chance = random.Random(20)
    came = 0
    for number in range(CYCLES):
        fault = Fault(chance.choice(METHODS), "", chance.choice(KINDS), status=chance.choice(STATUSES))
        fault.times = chance.randint(1, 3)
        cluster.faults.add(fault)
        came += await cycle(driver, f"cycle-{number}")
        cluster.faults.ordered.clear()
        for handle in await driver.list():
            await driver.destroy(handle)
    assert left_on(cluster) == []
    assert cluster.node.containers == {}
    # The faults bite, and not always.
    assert CYCLES * 0.2 < came < CYCLES
