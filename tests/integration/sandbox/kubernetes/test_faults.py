"""Faults at each step of a sandbox's life: what may pass is tried again, and nothing is left."""

import asyncio
from dataclasses import replace

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.faults import Fault
from tests.support.cluster.server import TOKEN, FakeCluster

from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable

KINDS = ("pods", "agent-sandbox")
LASTING = 1000
# Each request that making a sandbox needs.
STEPS = {
    "pods": [("GET", "networkpolicies"), ("POST", "/pods"), ("GET", "/pods"), ("WATCH", "/pods")],
    "agent-sandbox": [
        ("GET", "networkpolicies"),
        ("POST", "sandboxclaims"),
        ("GET", "sandboxclaims"),
        ("GET", "sandboxes/"),
        ("GET", "/pods"),
        ("WATCH", "/pods"),
    ],
}
EACH_STEP = [(kind, *step) for kind, steps in STEPS.items() for step in steps]
PASSING = [
    Fault("", "", status=429, retry_after=0),
    Fault("", "", status=500),
    Fault("", "", status=503),
    Fault("", "", "cut"),
    Fault("", "", "cut-after"),
    Fault("", "", "slow", seconds=0.1),
]
REFUSALS = {
    403: "Bind the role",
    422: "admission",
    429: "overloaded",
    500: "API server is up",
}


OFTEN = {403, 500}


def left_on(cluster: FakeCluster) -> list[str]:
    made = ("pods", "sandboxes", "sandboxclaims")
    return [name for resource in made for name in cluster.store.names(resource)]


async def prepared(cluster: FakeCluster, make_driver: MakeDriver, kind: str) -> KubernetesDriver:
    cluster.has_claims = True
    driver = make_driver(kind=kind, start_seconds=5, retries=2)
    await driver.prepare(BLUEPRINT)
    return driver


@pytest.mark.verify
@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.status}")
@pytest.mark.parametrize(("kind", "method", "path"), EACH_STEP)
async def test_what_may_pass_is_tried_again(
    cluster: FakeCluster, make_driver: MakeDriver, kind: str, method: str, path: str, fault: Fault
) -> None:
    driver = await prepared(cluster, make_driver, kind)
    ordered = cluster.faults.add(replace(fault, method=method, path=path))
    handle = await driver.create(BLUEPRINT, "lucky", {})
    # A pod that is ready at the first look is not watched.
    assert ordered.hits == 1 or method == "WATCH"
    await driver.destroy(handle)
    assert left_on(cluster) == []


@pytest.mark.parametrize(
    ("kind", "method", "path", "status"),
    # A watch that is refused for the moment is taken up again until the sandbox's time to start is over.
    [
        pytest.param(*step, status, marks=[] if status in OFTEN else pytest.mark.verify)
        for step in EACH_STEP
        for status in REFUSALS
        if status < 429 or step[1] != "WATCH"
    ],
)
async def test_what_does_not_pass_is_named_and_leaves_nothing(
    cluster: FakeCluster, make_driver: MakeDriver, kind: str, method: str, path: str, status: int
) -> None:
    driver = await prepared(cluster, make_driver, kind)
    cluster.node.plan = "stuck" if method == "WATCH" else "run"
    # Reading stays possible afterwards, or nobody could see what there is to remove.
    times = 1 if status in {403, 422} else 3
    cluster.faults.add(Fault(method, path, status=status, times=times))
    with pytest.raises((SandboxStartFailed, SandboxUnavailable), match="made to fail") as caught:
        await driver.create(BLUEPRINT, "unlucky", {})
    assert REFUSALS[status] in (caught.value.hint or "")
    assert left_on(cluster) == []
    assert cluster.node.containers == {}


async def test_a_lost_answer_does_not_make_two(cluster: FakeCluster, driver: KubernetesDriver) -> None:
    cluster.faults.add(Fault("POST", "/pods", "cut-after"))
    await driver.create(BLUEPRINT, "single", {})
    assert len(cluster.store.of("pods")) == 1


async def test_what_cannot_be_removed_now_is_found_later(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    driver = await prepared(cluster, make_driver, "pods")
    cluster.node.plan = "no-image"
    fault = cluster.faults.add(Fault("DELETE", "/pods", status=500, times=LASTING))
    with pytest.raises(SandboxStartFailed, match="ImagePullBackOff"):
        await driver.create(BLUEPRINT, "sticky", {})
    (handle,) = await driver.list()
    with pytest.raises(SandboxUnavailable):
        await driver.destroy(handle)
    fault.times = 0
    await driver.destroy(handle)
    assert left_on(cluster) == []


async def test_a_token_that_expired_is_read_anew(cluster: FakeCluster, driver: KubernetesDriver) -> None:
    cluster.faults.add(Fault("POST", "/pods", status=401))
    await driver.create(BLUEPRINT, "renewed", {})


async def test_a_token_that_is_refused_is_named(cluster: FakeCluster, driver: KubernetesDriver) -> None:
    cluster.faults.add(Fault("POST", "/pods", status=401, times=LASTING))
    with pytest.raises(SandboxStartFailed) as caught:
        await driver.create(BLUEPRINT, "unknown", {})
    assert "kubeconfig" in (caught.value.hint or "")
    assert TOKEN not in str(caught.value)


async def test_a_full_quota_is_told_apart_from_a_missing_role(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    words = 'pods "x" is forbidden: exceeded quota: sandboxes, requested: pods=1, used: pods=50'
    cluster.faults.add(Fault("POST", "/pods", status=403, message=words))
    with pytest.raises(SandboxStartFailed) as caught:
        await driver.create(BLUEPRINT, "one-too-many", {})
    assert "ResourceQuota" in (caught.value.hint or "")


async def test_a_server_that_says_nothing_is_not_waited_for_without_end(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    driver = make_driver(request_seconds=0.1, retries=1)
    cluster.faults.add(Fault("GET", "configmaps", "slow", seconds=5, times=LASTING))
    with pytest.raises(SandboxUnavailable, match="TimeoutError"):
        await driver.prepare(BLUEPRINT)


async def test_a_list_that_the_server_forgot_in_between_is_asked_for_anew(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    for number in range(3):
        await driver.create(BLUEPRINT, f"listed-{number}", {})
    cluster.faults.add(Fault("GET", "/pods", status=410))
    assert len(await driver.list()) == 3


async def test_a_watch_that_is_cut_in_the_middle_is_taken_up_again(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.faults.add(Fault("WATCH", "/pods", "cut-after", times=2))
    await driver.create(BLUEPRINT, "cut", {})


async def test_a_watch_whose_history_is_gone_lists_anew(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.node.plan = "stuck"
    fault = cluster.faults.add(Fault("WATCH", "/pods", "gone-event", times=LASTING))
    creating = asyncio.create_task(driver.create(BLUEPRINT, "old", {}))
    while fault.hits < 2:
        await asyncio.wait_for(cluster.faults.happened.wait(), 10)
    assert cluster.requests.count(("GET", "/api/v1/namespaces/raptorflow-sandboxes/pods")) >= 2
    fault.times = 0
    (pod,) = cluster.store.names("pods")
    cluster.node.plan = "run"
    cluster.node.see(next(key for key in cluster.store.things if key.name == pod))
    await creating


async def test_a_watch_that_the_server_answers_with_410_lists_anew(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.faults.add(Fault("WATCH", "/pods", status=410))
    await driver.create(BLUEPRINT, "older", {})


async def test_a_channel_that_is_cut_ends_the_sandbox(cluster: FakeCluster, driver: KubernetesDriver) -> None:
    handle = await driver.create(BLUEPRINT, "severed", {})
    (container,) = cluster.node.containers.values()
    cluster.faults.add(Fault("EXEC", "/pods", "cut-after"))
    link = Link(await driver.channel(handle))
    await link.open()
    with pytest.raises(SandboxGone):
        await (await start(link, Program(["/usr/bin/sleep", "1000"]), lambda kind, chunk: None)).wait()
    await container.first.wait()
    await link.close()
    await driver.destroy(handle)
    assert left_on(cluster) == []


async def test_a_channel_that_is_refused_for_the_moment_is_opened_then(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    handle = await driver.create(BLUEPRINT, "patient", {})
    cluster.faults.add(Fault("EXEC", "/pods", status=500))
    link = Link(await driver.channel(handle))
    await link.open()
    await link.close()


async def test_a_channel_that_is_refused_for_good_is_named(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    handle = await driver.create(BLUEPRINT, "forbidden", {})
    cluster.faults.add(Fault("EXEC", "/pods", status=403))
    with pytest.raises(SandboxStartFailed) as caught:
        await driver.channel(handle)
    assert "role" in (caught.value.hint or "")
