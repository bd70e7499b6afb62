"""The network policy of all sandboxes: nothing in, nothing out, no exception.

Policies add up: a second one that selects the same pods can only allow more. So the driver does not only look
for its own, it looks at every policy of the namespace.
"""

from collections.abc import Iterable, Mapping

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.fields import entries, part
from raptorflow.sandbox.drivers.kubernetes.objects.names import MARK

POLICY = "raptorflow-sandboxes"
BOTH = ["Ingress", "Egress"]


def deny_all() -> JsonObject:
    """The policy itself."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": POLICY, "labels": dict(MARK)},
        "spec": {"podSelector": {"matchLabels": dict(MARK)}, "policyTypes": list(BOTH)},
    }


def objection(policies: Iterable[JsonObject], labels: Mapping[str, str]) -> str | None:
    """Why pods with these labels are not cut off by these policies, or None when they are."""
    denied = False
    for policy in policies:
        name, spec = policy["metadata"]["name"], policy["spec"]
        if not _selects(part(spec, "podSelector"), labels):
            continue
        if spec.get("ingress") or spec.get("egress"):
            return f"The network policy {name} lets sandboxes have traffic."
        denied = denied or set(BOTH) <= set(spec.get("policyTypes") or ())
    return None if denied else f"The network policy {POLICY}, which cuts sandboxes off, is missing."


def _selects(selector: JsonObject, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything."""
    named: dict[str, str] = part(selector, "matchLabels")
    rules = entries(selector, "matchExpressions")
    return named.items() <= labels.items() and all(_holds(rule, labels) for rule in rules)


def _holds(rule: JsonObject, labels: Mapping[str, str]) -> bool:
    key: str = rule["key"]
    values: list[str] = rule.get("values") or []
    match rule["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            # An operator that is not known here may select our pods.
            return True
