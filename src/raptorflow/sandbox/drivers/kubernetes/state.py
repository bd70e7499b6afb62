"""What a pod's status says: ready, not yet, or never; and how it ended.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from dataclasses import dataclass

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.fields import entries, part
from raptorflow.sandbox.errors import SandboxStartFailed

# ErrImagePull alone may pass; the node says ImagePullBackOff when it has tried again and again.
HOPELESS = {
    "ImagePullBackOff": "Look whether RAPTORFLOW_SANDBOX__KUBERNETES__IMAGE exists and the node may pull it.",
    "InvalidImageName": "Set RAPTORFLOW_SANDBOX__KUBERNETES__IMAGE to a name with a digest.",
    "ErrImageNeverPull": "Bring the image to the nodes, or let them pull it.",
    "CreateContainerConfigError": "Look at the pod's events: the node cannot set the container up.",
    "CreateContainerError": "Look at the pod's events: the node's runtime cannot make the container.",
    "RunContainerError": "Look whether RAPTORFLOW_SANDBOX__KUBERNETES__PYTHON is in the image.",
    "CrashLoopBackOff": "Look at the pod's log.",
}
NO_NODE = (
    "Free or add a node that takes such pods, lower the limits, or raise "
    "RAPTORFLOW_SANDBOX__KUBERNETES__SCHEDULE_SECONDS where nodes are added on demand."
)
ENDED = {"Failed", "Succeeded"}
LOOK = "Look at the events of the pod and at its node."
# How the kubelet words an eviction for a pod's own use, as opposed to a node in need.
OWN_DISK = ("ephemeral", "emptydir", "localstorage")


@dataclass(frozen=True)
class Ending:
    """How a pod ended.

    Attributes:
        reason: such as `OOMKilled`, `Evicted`, `DeadlineExceeded`, `Completed`, `Error`.
        words: what the cluster says about it.
        exit_code: of the first process; None when it never ran or nobody knows.
    """

    reason: str
    words: str
    exit_code: int | None

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel ended it for lack of memory."""
        return self.reason == "OOMKilled"

    @property
    def disk_full(self) -> bool:
        """Whether it was evicted for files of its own."""
        words = self.words.lower().replace(" ", "").replace("-", "")
        return self.reason == "Evicted" and any(word in words for word in OWN_DISK)


def is_ready(pod: JsonObject) -> bool:
    """Whether its container runs.

    Raises:
        SandboxStartFailed: it never will.
    """
    if over := ending(pod):
        raise SandboxStartFailed(
            f"The sandbox ended before it was ready: {over.reason} {over.words}", hint=LOOK
        )
    reason, words = _waiting(pod)
    if reason in HOPELESS:
        raise SandboxStartFailed(
            f"The node cannot start the sandbox: {reason}: {words}", hint=HOPELESS[reason]
        )
    return condition(pod, "Ready").get("status") == "True"


def ending(pod: JsonObject) -> Ending | None:
    """How it ended; None while it may still run."""
    status = part(pod, "status")
    finished = part(_container(pod), "state", "terminated")
    if finished:
        reason = str(status.get("reason") or finished.get("reason") or "Ended")
        return Ending(
            reason, status.get("message") or finished.get("message") or "", finished.get("exitCode")
        )
    if status.get("phase") in ENDED:
        return Ending(status.get("reason") or status["phase"], status.get("message") or "", None)
    return None


def unschedulable(pod: JsonObject) -> str | None:
    """Why no node takes it, in the scheduler's words."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return str(scheduled.get("message", "no node takes it"))
    return None


def why_waiting(pod: JsonObject | None) -> str:
    """What a pod that is not ready waits for."""
    if pod is None:
        return "the pod was not made"
    if words := unschedulable(pod):
        return f"no node takes it: {words}"
    reason, words = _waiting(pod)
    return f"{reason} {words}".strip() or f"its phase is {part(pod, 'status').get('phase', 'unknown')}"


def condition(thing: JsonObject, kind: str) -> JsonObject:
    """One condition of any object's status; empty while it has none."""
    conditions = entries(part(thing, "status"), "conditions")
    return next((entry for entry in conditions if entry.get("type") == kind), part({}))


def _container(pod: JsonObject) -> JsonObject:
    return next(iter(entries(part(pod, "status"), "containerStatuses")), part({}))


def _waiting(pod: JsonObject) -> tuple[str, str]:
    waiting = part(_container(pod), "state", "waiting")
    return str(waiting.get("reason", "")), str(waiting.get("message", ""))
