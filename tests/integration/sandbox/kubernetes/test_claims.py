"""What agent-sandbox adds: templates, pools of warm sandboxes, and claims to them."""

import asyncio
from dataclasses import replace

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.server import FakeCluster

from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.errors import SandboxStartFailed, SandboxUnavailable


@pytest.fixture
async def claiming(cluster: FakeCluster, make_driver: MakeDriver) -> KubernetesDriver:
    cluster.has_claims = True
    driver = make_driver(warm=2)
    await driver.prepare(BLUEPRINT)
    return driver


async def warm_ones(cluster: FakeCluster, count: int) -> None:
    """Wait until the fake node runs that many."""
    while len(cluster.node.containers) != count:
        await asyncio.wait_for(cluster.store.woken.wait(), 10)


async def test_a_warm_sandbox_is_taken_and_another_one_made_ready(
    cluster: FakeCluster, claiming: KubernetesDriver
) -> None:
    await warm_ones(cluster, 2)
    running = set(cluster.node.containers)
    await claiming.create(BLUEPRINT, "claimed", {})
    (claim,) = cluster.store.of("sandboxclaims")
    assert f"{claim['status']['sandbox']['name']}-pod" in running
    await warm_ones(cluster, 3)


async def test_the_pool_is_sized_through_scale(cluster: FakeCluster, claiming: KubernetesDriver) -> None:
    await claiming.warm(BLUEPRINT, 1)
    (pool,) = cluster.store.of("sandboxwarmpools")
    assert pool["spec"]["replicas"] == 1
    assert ("PATCH", f"{_path(pool['metadata']['name'])}/scale") in cluster.requests
    await claiming.warm(BLUEPRINT, 0)
    await warm_ones(cluster, 0)


async def test_what_a_killed_manager_kept_ready_for_other_limits_goes(
    cluster: FakeCluster, claiming: KubernetesDriver, make_driver: MakeDriver
) -> None:
    await warm_ones(cluster, 2)
    smaller = BLUEPRINT.limits.model_copy(update={"cpus": 0.25})
    heir = make_driver()
    await heir.prepare(replace(BLUEPRINT, limits=smaller))
    await warm_ones(cluster, 0)
    assert len(cluster.store.of("sandboxtemplates")) == len(cluster.store.of("sandboxwarmpools")) == 1


async def test_what_a_killed_manager_kept_ready_for_the_same_limits_stays(
    cluster: FakeCluster, claiming: KubernetesDriver, make_driver: MakeDriver
) -> None:
    await warm_ones(cluster, 2)
    running = set(cluster.node.containers)
    await make_driver().prepare(BLUEPRINT)
    assert set(cluster.node.containers) == running


async def test_a_claim_asks_for_nothing_that_forces_a_cold_start_and_ends_by_itself(
    cluster: FakeCluster, claiming: KubernetesDriver
) -> None:
    await claiming.create(BLUEPRINT, "plain", {})
    (claim,) = cluster.store.of("sandboxclaims")
    assert set(claim["spec"]) == {"warmPoolRef", "lifecycle"}
    assert claim["spec"]["lifecycle"]["shutdownPolicy"] == "DeleteForeground"


async def test_the_template_denies_all_traffic_instead_of_leaving_it_to_the_default(
    cluster: FakeCluster, claiming: KubernetesDriver
) -> None:
    (template,) = cluster.store.of("sandboxtemplates")
    assert template["spec"]["networkPolicy"] == {"ingress": [], "egress": []}
    assert template["spec"]["networkPolicyManagement"] == "Managed"
    # A warm sandbox's clock would run out while it waits.
    assert "activeDeadlineSeconds" not in template["spec"]["podTemplate"]["spec"]


async def test_a_controller_that_sleeps_is_a_failure_that_leaves_nothing(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    cluster.has_claims = True
    driver = make_driver(start_seconds=0.5)
    await driver.prepare(BLUEPRINT)
    cluster.controller.asleep = True
    with pytest.raises(SandboxStartFailed, match="in time"):
        await driver.create(BLUEPRINT, "unbound", {})
    assert cluster.store.of("sandboxclaims") == []
    assert cluster.store.of("pods") == []


async def test_plain_pods_are_made_where_the_operator_wants_them(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    cluster.has_claims = True
    driver = make_driver(kind="pods")
    await driver.prepare(BLUEPRINT)
    await driver.create(BLUEPRINT, "pod", {})
    assert cluster.store.of("sandboxclaims") == []
    with pytest.raises(SandboxUnavailable, match="agent-sandbox"):
        await driver.warm(BLUEPRINT, 3)


async def test_claims_that_the_cluster_does_not_have_are_not_replaced_by_pods(
    make_driver: MakeDriver,
) -> None:
    with pytest.raises(SandboxUnavailable, match=r"v1beta1") as caught:
        await make_driver(kind="agent-sandbox").prepare(BLUEPRINT)
    assert "KIND=pods" in (caught.value.hint or "")


def _path(name: str) -> str:
    group = "/apis/extensions.agents.x-k8s.io/v1beta1"
    return f"{group}/namespaces/raptorflow-sandboxes/sandboxwarmpools/{name}"
