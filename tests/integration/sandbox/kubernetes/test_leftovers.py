"""What a killed manager left on the cluster is removed when the next one of its instance is first used."""

import asyncio

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.faults import Fault
from tests.support.cluster.server import FakeCluster

from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.errors import SandboxUnavailable

KINDS = ("pods", "agent-sandbox")
MADE = ("pods", "sandboxes", "sandboxclaims")
LASTING = 1000


def left_on(cluster: FakeCluster) -> set[str]:
    return {name for resource in MADE for name in cluster.store.names(resource)}


async def killed(cluster: FakeCluster, make_driver: MakeDriver, kind: str) -> list[Handle]:
    """What a manager made that is heard of no more."""
    cluster.has_claims = True
    driver = make_driver(kind=kind)
    await driver.prepare(BLUEPRINT)
    return [await driver.create(BLUEPRINT, f"left-{number}", {}) for number in range(3)]


@pytest.fixture(params=KINDS)
async def heir(
    cluster: FakeCluster, make_driver: MakeDriver, request: pytest.FixtureRequest
) -> KubernetesDriver:
    """The next manager of an instance whose last one left three."""
    await killed(cluster, make_driver, request.param)
    return make_driver(kind=request.param)


async def test_it_is_removed_before_the_first_sandbox_is_made(
    cluster: FakeCluster, heir: KubernetesDriver
) -> None:
    handle = await heir.create(BLUEPRINT, "own", {})
    assert await heir.list() == [handle]
    assert len(cluster.node.containers) == 1
    await heir.destroy(handle)
    assert left_on(cluster) == set()


async def test_it_is_removed_once_and_by_no_look(cluster: FakeCluster, heir: KubernetesDriver) -> None:
    there = left_on(cluster)
    await heir.probe()
    assert len(await heir.list()) == 3
    assert left_on(cluster) == there
    await heir.prepare(BLUEPRINT)
    assert left_on(cluster) == set()


async def test_what_came_after_the_first_use_is_not_looked_for(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    one, other = make_driver(), make_driver()
    await one.prepare(BLUEPRINT)
    await other.prepare(BLUEPRINT)
    handle = await one.create(BLUEPRINT, "kept", {})
    await other.prepare(BLUEPRINT)
    link = Link(await one.channel(handle))
    await link.open()
    await link.close()


async def test_those_at_once_wait_for_it_and_none_of_them_is_taken_for_a_leftover(
    cluster: FakeCluster, heir: KubernetesDriver
) -> None:
    handles = await asyncio.gather(*(heir.create(BLUEPRINT, f"own-{number}", {}) for number in range(4)))
    assert sorted(handle.sandbox_id for handle in await heir.list()) == sorted(
        handle.sandbox_id for handle in handles
    )


async def test_another_instances_stay(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    other = make_driver(instance="other")
    await other.prepare(BLUEPRINT)
    handle = await other.create(BLUEPRINT, "theirs", {})
    await make_driver().prepare(BLUEPRINT)
    assert await other.list() == [handle]
    assert len(cluster.node.containers) == 1


@pytest.mark.parametrize(
    ("reason", "message"), [("DeadlineExceeded", "Pod was active on the node longer"), ("OOMKilled", "")]
)
async def test_one_that_has_ended_long_ago_goes_too(
    cluster: FakeCluster, make_driver: MakeDriver, reason: str, message: str
) -> None:
    await killed(cluster, make_driver, "pods")
    for name in list(cluster.node.containers):
        await cluster.node.fail(name, reason, message)
    assert {pod["status"]["phase"] for pod in cluster.store.of("pods")} == {"Failed"}
    await make_driver(kind="pods").prepare(BLUEPRINT)
    assert left_on(cluster) == set()


async def test_plain_pods_go_after_the_cluster_got_claims(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    await killed(cluster, make_driver, "pods")
    await make_driver(kind="agent-sandbox").prepare(BLUEPRINT)
    assert left_on(cluster) == set()


async def test_one_that_does_not_go_keeps_nobody_from_making_others(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    await killed(cluster, make_driver, "pods")
    fault = cluster.faults.add(Fault("DELETE", "/pods/rf-left-0", status=403, times=LASTING))
    heir = make_driver(kind="pods")
    await heir.create(BLUEPRINT, "own", {})
    assert sorted(handle.sandbox_id for handle in await heir.list()) == ["left-0", "own"]
    fault.times = 0


async def test_a_cluster_that_does_not_say_what_it_has_is_asked_again(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    await killed(cluster, make_driver, "pods")
    heir = make_driver(kind="pods")
    cluster.faults.add(Fault("GET", "/pods", status=403))
    with pytest.raises(SandboxUnavailable):
        await heir.prepare(BLUEPRINT)
    await heir.prepare(BLUEPRINT)
    assert left_on(cluster) == set()


async def test_who_was_given_no_name_removes_nothing(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    """A command line and a worker of the same settings would otherwise end each other's sandboxes."""
    left = await killed(cluster, make_driver, "pods")
    nameless = make_driver(kind="pods", instance=None)
    handle = await nameless.create(BLUEPRINT, "own", {})
    assert set(await nameless.list()) == {*left, handle}
