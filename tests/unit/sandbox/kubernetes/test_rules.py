"""The pure rules: names, amounts, policies, what was made against what was asked."""

import copy
import re
from typing import Any

import pytest
from tests.support.cluster.admission import Admission
from tests.unit.sandbox.kubernetes.test_pod import spec_of

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.names import MARK, notes, sandbox_name
from raptorflow.sandbox.drivers.kubernetes.objects.policy import deny_all, objection
from raptorflow.sandbox.drivers.kubernetes.objects.quantity import quantity
from raptorflow.sandbox.drivers.kubernetes.objects.readback import differences

LABELS = {**MARK, "extra": "yes"}
ANYTHING: list[JsonObject] = [{}]
OURS: list[JsonObject] = [
    {},
    {"matchLabels": {"extra": "yes"}},
    {"matchExpressions": [{"key": "extra", "operator": "In", "values": ["no", "yes"]}]},
    {"matchExpressions": [{"key": "absent", "operator": "NotIn", "values": ["x"]}]},
    {"matchExpressions": [{"key": "extra", "operator": "Exists"}]},
    {"matchExpressions": [{"key": "absent", "operator": "DoesNotExist"}]},
    {"matchExpressions": [{"key": "extra", "operator": "Unheard"}]},
]
OTHERS: list[JsonObject] = [
    {"matchLabels": {"extra": "no"}},
    {"matchLabels": {"extra": "yes"}, "matchExpressions": [{"key": "absent", "operator": "Exists"}]},
    {"matchExpressions": [{"key": "extra", "operator": "DoesNotExist"}]},
    {"matchExpressions": [{"key": "extra", "operator": "NotIn", "values": ["yes"]}]},
]


@pytest.mark.parametrize("sandbox_id", ["a", "A", "run-1", "-", "X" * 200, "é"])
def test_every_name_is_a_dns_label(sandbox_id: str) -> None:
    name = sandbox_name("default", sandbox_id)
    assert len(name) <= 63
    assert re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)


def test_names_differ_by_case_and_by_instance() -> None:
    names = {sandbox_name(instance, name) for instance in ("one", "other") for name in ("run", "Run")}
    assert len(names) == 4


def test_annotations_have_valid_keys_and_bounded_values() -> None:
    found = notes("run", "n", {"tenant": "x" * 5000, "_odd key_": "v", "": "w"})
    assert len(found["raptorflow/label-tenant"]) == 1024
    assert found["raptorflow/label-odd-key"] == "v"
    assert found["raptorflow/label-label"] == "w"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("64Mi", 2**26),
        ("1e3", 1000),
        ("2", 2),
        ("12345n", 1.2345e-05),
        ("1k", 1000),
        ("1G", 1e9),
    ],
)
def test_amounts(text: str, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Mi", "1 Mi", "1x", "--1"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantity(text)


def policy(selector: JsonObject, **spec: object) -> JsonObject:
    return {"metadata": {"name": "other"}, "spec": {"podSelector": selector, **spec}}


@pytest.mark.parametrize("selector", OURS)
@pytest.mark.parametrize("rule", ["ingress", "egress"])
def test_a_policy_that_selects_sandboxes_and_allows_something_is_an_objection(
    selector: JsonObject, rule: str
) -> None:
    assert "other" in (objection([deny_all(), policy(selector, **{rule: ANYTHING})], LABELS) or "")


@pytest.mark.parametrize("selector", OTHERS)
def test_policies_of_other_pods_are_none_of_ours(selector: JsonObject) -> None:
    assert objection([deny_all(), policy(selector, egress=ANYTHING)], LABELS) is None


def test_one_direction_is_not_enough() -> None:
    only_in = deny_all()
    only_in["spec"]["policyTypes"] = ["Ingress"]
    assert "missing" in (objection([only_in], LABELS) or "")
    assert "missing" in (objection([], LABELS) or "")


def test_a_pod_with_the_servers_defaults_is_what_was_asked_for() -> None:
    asked = spec_of()
    made = copy.deepcopy(asked)
    Admission().admit(made)
    assert "hostNetwork" not in made
    del made["shareProcessNamespace"]
    made |= {"nodeName": "node-1", "activeDeadlineSeconds": 60, "initContainers": [], "hostAliases": None}
    made["containers"][0]["resources"]["limits"]["cpu"] = "0.25"
    assert differences(asked, made) == []
    assert made != asked


def test_every_field_that_was_asked_for_is_compared() -> None:
    asked = spec_of()
    for name in asked:
        made = copy.deepcopy(asked)
        made[name] = "changed"
        assert differences(asked, made), name


@pytest.mark.parametrize("name", ["automountServiceAccountToken", "hostUsers", "enableServiceLinks"])
def test_a_field_that_means_true_when_missing_may_not_be_missing(name: str) -> None:
    made = copy.deepcopy(spec_of())
    del made[name]
    assert differences(spec_of(), made) == [f"spec.{name} is None instead of False"]


ADDED: dict[str, object] = {
    "spec.hostAliases": [{"ip": "192.0.2.1", "hostnames": ["inner.example"]}],
    "spec.runtimeClassName": "runc",
    "spec.resourceClaims": [{"name": "gpu"}],
    "spec.resources": {"limits": {"memory": "64Gi"}},
    "spec.initContainers": [{"name": "sidecar", "restartPolicy": "Always"}],
    "spec.ephemeralContainers": [{"name": "debugger"}],
    "spec.unheard": True,
    "spec.serviceAccountName": "cluster-admin",
    "spec.serviceAccount": "cluster-admin",
    "spec.dnsConfig.searches": ["svc.cluster.local"],
    "spec.securityContext.sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}],
    "spec.securityContext.supplementalGroups": [0],
    "spec.securityContext.fsGroup": 0,
    "spec.securityContext.appArmorProfile": {"type": "Unconfined"},
    "spec.securityContext.seLinuxOptions": {"type": "spc_t"},
    "spec.securityContext.windowsOptions": {"hostProcess": True},
    "spec.volumes[0].hostPath": {"path": "/"},
    "spec.volumes[0].configMap.optional": True,
    "spec.containers[0].env": [{"name": "LD_PRELOAD", "value": "/skill/x.so"}],
    "spec.containers[0].envFrom": [{"secretRef": {"name": "token"}}],
    "spec.containers[0].args": ["--more"],
    "spec.containers[0].lifecycle": {"postStart": {"exec": {"command": ["/bin/sh"]}}},
    "spec.containers[0].livenessProbe": {"exec": {"command": ["/bin/sh"]}},
    "spec.containers[0].ports": [{"containerPort": 80, "hostPort": 80}],
    "spec.containers[0].volumeDevices": [{"name": "disk", "devicePath": "/dev/sda"}],
    "spec.containers[0].volumeMounts[1].subPath": "..",
    "spec.containers[0].volumeMounts[1].mountPropagation": "Bidirectional",
    "spec.containers[0].resources.claims": [{"name": "gpu"}],
    "spec.containers[0].resources.limits.example.com/gpu": "1",
    "spec.containers[0].terminationMessagePath": "/workspace/x",
    "spec.containers[0].securityContext.capabilities.add": ["SYS_ADMIN"],
    "spec.containers[0].securityContext.procMount": "Unmasked",
    "spec.containers[0].securityContext.appArmorProfile": {"type": "Unconfined"},
    "spec.containers[0].securityContext.seLinuxOptions": {"type": "spc_t"},
    "spec.containers[0].securityContext.seccompProfile.localhostProfile": "open.json",
}


@pytest.mark.parametrize("place", ADDED)
def test_nothing_is_added_that_a_cluster_does_not_fill_in_by_itself(place: str) -> None:
    asked = spec_of(runtime_class=None, accept_shared_kernel=True)
    made = copy.deepcopy(asked)
    Admission().admit(made)
    _put(made, place, ADDED[place])
    (found,) = differences(asked, made)
    assert found.startswith(f"{place} was added")


@pytest.mark.parametrize("name", ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"])
def test_no_namespace_is_shared_after_all(name: str) -> None:
    assert differences(spec_of(), spec_of() | {name: True}) == [f"spec.{name} is True instead of False"]


TOKEN = {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


@pytest.mark.parametrize(
    ("name", "entry"),
    [("containers", {"name": "sidecar"}), ("volumes", TOKEN), ("volumes", {"name": "host", "hostPath": {}})],
)
def test_one_more_of_something_is_seen(name: str, entry: JsonObject) -> None:
    made = copy.deepcopy(spec_of())
    made[name].append(entry)
    (found,) = differences(spec_of(), made)
    assert re.fullmatch(rf"spec.{name} has \d entries instead of \d", found)


def test_one_more_mount_is_seen() -> None:
    made = copy.deepcopy(spec_of())
    made["containers"][0]["volumeMounts"].append({"name": "token", "mountPath": "/var/run/secrets"})
    assert differences(spec_of(), made)


def _put(spec: JsonObject, place: str, value: object) -> None:
    """Set the field at a place, whose last name may have dots."""
    found = re.fullmatch(r"spec\.((?:[a-zA-Z]+(?:\[\d+\])?\.)*?)([a-zA-Z]+|example\.com/gpu)", place)
    assert found
    thing: Any = spec
    for name, at in re.findall(r"([a-zA-Z]+)(?:\[(\d+)\])?\.", found[1]):
        thing = thing[name][int(at)] if at else thing[name]
    thing[found[2]] = value
