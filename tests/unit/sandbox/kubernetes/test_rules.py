"""The pure rules: names, amounts, policies, what was made against what was asked."""

import copy
import re

import pytest
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
    made |= {"schedulerName": "default-scheduler", "nodeName": "node-1", "tolerations": [{}]}
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        del made[name]
    made["containers"][0]["resources"]["limits"]["cpu"] = "0.25"
    made["containers"][0] |= {"terminationMessagePath": "/dev/termination-log"}
    assert differences(asked, made) == []


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


def test_what_an_admission_webhook_adds_is_seen() -> None:
    for name in ("containers", "volumes"):
        made = copy.deepcopy(spec_of())
        made[name].append({"name": "sidecar"})
        assert differences(spec_of(), made)
    for name in ("initContainers", "ephemeralContainers"):
        made = spec_of() | {name: [{"name": "sidecar"}]}
        assert differences(spec_of(), made) == [f"{name} were added"]
    made = copy.deepcopy(spec_of())
    made["containers"][0]["volumeMounts"].append({"name": "token", "mountPath": "/var/run/secrets"})
    assert differences(spec_of(), made)
