"""Sandboxes that cannot be built: each reason is named with what mends it, and nothing is left."""

import asyncio
from collections.abc import Callable

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.node import Plan
from tests.support.cluster.server import NAMESPACE, FakeCluster
from tests.support.cluster.store import Key

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of
from raptorflow.sandbox.errors import SandboxStartFailed, SandboxUnavailable

POLICIES = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"
OUR_POLICY = Key(POLICIES, "raptorflow-sandboxes")


@pytest.mark.parametrize(
    ("plan", "words", "remedy"),
    [
        ("no-image", "ImagePullBackOff", "KUBERNETES__IMAGE"),
        ("homeless", "Insufficient memory", "add a node"),
        ("crash", "StartError", "events"),
        ("stuck", "ContainerCreating", "events"),
        ("vanish", "removed", "events"),
    ],
)
async def test_a_pod_that_never_becomes_ready(
    cluster: FakeCluster, make_driver: MakeDriver, plan: Plan, words: str, remedy: str
) -> None:
    driver = make_driver(start_seconds=1, schedule_seconds=0.3)
    await driver.prepare(BLUEPRINT)
    cluster.node.plan = plan
    with pytest.raises(SandboxStartFailed, match=words) as caught:
        await driver.create(BLUEPRINT, "never", {})
    assert remedy in (caught.value.hint or "")
    assert cluster.store.of("pods") == []


async def test_a_pod_that_waits_for_a_node_and_gets_one_is_no_failure(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.node.plan = "homeless-then-run"
    await driver.create(BLUEPRINT, "late", {})


async def test_a_cancelled_request_leaves_nothing(cluster: FakeCluster, driver: KubernetesDriver) -> None:
    cluster.node.plan = "stuck"
    creating = asyncio.create_task(driver.create(BLUEPRINT, "unwanted", {}))
    while not cluster.store.of("pods"):
        await asyncio.wait_for(cluster.store.woken.wait(), 10)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert cluster.store.of("pods") == []


@pytest.mark.parametrize("field", ["hostUsers", "runtimeClassName", "automountServiceAccountToken"])
async def test_a_server_that_drops_a_field_does_not_lower_a_sandbox_in_silence(
    cluster: FakeCluster, driver: KubernetesDriver, field: str
) -> None:
    cluster.drops = {field}
    with pytest.raises(SandboxStartFailed, match=field) as caught:
        await driver.create(BLUEPRINT, "lowered", {})
    assert "upgrade" in (caught.value.hint or "")
    assert cluster.store.of("pods") == []


def capable(spec: JsonObject) -> None:
    spec["containers"][0]["securityContext"]["capabilities"]["add"] = ["SYS_PTRACE"]


def hooked(spec: JsonObject) -> None:
    spec["containers"][0]["lifecycle"] = {"postStart": {"exec": {"command": ["/bin/sh"]}}}


def with_token(spec: JsonObject) -> None:
    spec["serviceAccountName"] = "builder"


@pytest.mark.parametrize("kind", ["pods", "agent-sandbox"])
@pytest.mark.parametrize(
    ("webhook", "words"),
    [(capable, "capabilities.add"), (hooked, "lifecycle"), (with_token, "serviceAccountName")],
)
async def test_what_a_webhook_adds_does_not_lower_a_sandbox_in_silence(
    cluster: FakeCluster,
    make_driver: MakeDriver,
    kind: str,
    webhook: Callable[[JsonObject], None],
    words: str,
) -> None:
    cluster.has_claims = True
    driver = make_driver(kind=kind)
    await driver.prepare(BLUEPRINT)
    cluster.admission.webhook = webhook
    with pytest.raises(SandboxStartFailed, match=f"{words} was added") as caught:
        await driver.create(BLUEPRINT, "lowered", {})
    assert "webhook" in (caught.value.hint or "")
    assert cluster.store.of("pods") == cluster.store.of("sandboxclaims") == []
    cluster.admission.webhook = None
    await driver.create(BLUEPRINT, "as-asked", {})


async def test_without_the_network_policy_nothing_is_built(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.store.remove(OUR_POLICY)
    with pytest.raises(SandboxUnavailable, match="missing"):
        await driver.create(BLUEPRINT, "open", {})
    assert not any(method == "POST" and path.endswith("/pods") for method, path in cluster.requests)


async def test_another_policy_that_lets_sandboxes_out_is_seen(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    cluster.store.add(
        Key(POLICIES, "allow-dns"),
        {"metadata": {"name": "allow-dns"}, "spec": {"podSelector": {}, "egress": [{}]}},
    )
    with pytest.raises(SandboxUnavailable, match="allow-dns"):
        await driver.create(BLUEPRINT, "leaky", {})
    with pytest.raises(SandboxUnavailable, match="allow-dns"):
        await driver.prepare(BLUEPRINT)


async def test_an_agent_that_somebody_removed_is_brought_again(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    (key,) = (key for key in cluster.store.things if key.resource == "configmaps")
    cluster.store.remove(key)
    cluster.node.plan = "crash"
    with pytest.raises(SandboxStartFailed):
        await driver.create(BLUEPRINT, "without", {})
    cluster.node.plan = "run"
    await driver.create(BLUEPRINT, "with", {})


async def test_the_agent_of_another_version_goes(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    old = Key(f"/api/v1/namespaces/{NAMESPACE}/configmaps", "rf-agent-of-old")
    cluster.store.add(old, {"metadata": {"name": old.name, "labels": labels_of("default")}})
    other = Key(old.path, "rf-agent-of-another")
    cluster.store.add(other, {"metadata": {"name": other.name, "labels": labels_of("another")}})
    await make_driver().prepare(BLUEPRINT)
    assert cluster.store.names("configmaps") >= {other.name}
    assert old.name not in cluster.store.names("configmaps")


async def test_a_changed_template_is_not_used(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    cluster.has_claims = True
    await make_driver().prepare(BLUEPRINT)
    (template,) = cluster.store.of("sandboxtemplates")
    template["spec"]["networkPolicy"]["egress"] = [{}]
    with pytest.raises(SandboxUnavailable, match="networkPolicy"):
        await make_driver().prepare(BLUEPRINT)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"image": None}, "image"),
        ({"runtime_class": None}, "node's kernel"),
        ({"network_policy_enforced": False}, "network policies"),
    ],
)
async def test_what_the_operator_has_not_said_is_not_assumed(
    make_driver: MakeDriver, missing: dict[str, object], words: str
) -> None:
    driver = make_driver(**missing)
    with pytest.raises(SandboxUnavailable, match=words):
        await driver.create(BLUEPRINT, "unsaid", {})
    report = await driver.probe()
    assert not report.available
    assert "RAPTORFLOW_SANDBOX__KUBERNETES__" in (report.remedy or "")
