"""What an API server and its admission plugins do to a pod before it is kept, and what a webhook may do."""

from collections.abc import Callable

from raptorflow.base.json import JsonObject

# Facts of Kubernetes: the API's defaults, then what Priority, ServiceAccount, DefaultTolerationSeconds and
# RuntimeClass fill in on a cluster whose gVisor nodes are set apart.
POD: JsonObject = {
    "schedulerName": "default-scheduler",
    "priority": 0,
    "preemptionPolicy": "PreemptLowerPriority",
    "serviceAccount": "default",
    "serviceAccountName": "default",
    "nodeSelector": {"runtime": "gvisor"},
    "overhead": {"cpu": "250m", "memory": "120Mi"},
}
TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{state}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for state in ("not-ready", "unreachable")
]
CONTAINER: JsonObject = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}


class Admission:
    """Between a request and the store.

    Attributes:
        webhook: what a webhook of the cluster's changes in each pod's spec.
    """

    def __init__(self) -> None:
        self.webhook: Callable[[JsonObject], None] | None = None

    def admit(self, spec: JsonObject) -> None:
        """Fill in what a pod's spec leaves open."""
        spec |= {**POD, "tolerations": [dict(each) for each in TOLERATIONS], **spec}
        for container in spec["containers"]:
            container |= {**CONTAINER, **container}
            container["securityContext"].setdefault("procMount", "Default")
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            # False is not kept.
            if not spec.get(field):
                spec.pop(field, None)
        if self.webhook:
            self.webhook(spec)
