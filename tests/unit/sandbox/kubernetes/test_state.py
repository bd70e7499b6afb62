"""What a pod's status says."""

import pytest

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.state import (
    HOPELESS,
    ending,
    is_ready,
    unschedulable,
    why_waiting,
)
from raptorflow.sandbox.errors import SandboxStartFailed


def pod(phase: str = "Pending", state: JsonObject | None = None, **status: object) -> JsonObject:
    containers = [{"name": "sandbox", "state": state}] if state else []
    return {"status": {"phase": phase, "containerStatuses": containers, **status}}


def test_a_pod_without_a_status_is_waited_for() -> None:
    empty: list[JsonObject] = [
        {},
        {"status": {}},
        {"status": {"conditions": None, "containerStatuses": None}},
    ]
    for new in empty:
        assert not is_ready(new)
        assert ending(new) is None
    assert why_waiting({}) == "its phase is unknown"
    assert why_waiting(None) == "the pod was not made"


def test_ready_is_a_condition_and_not_a_phase() -> None:
    assert not is_ready(pod("Running", {"running": {}}))
    assert is_ready(pod("Running", conditions=[{"type": "Ready", "status": "True"}]))


def test_one_failed_pull_is_waited_for() -> None:
    assert not is_ready(pod(state={"waiting": {"reason": "ErrImagePull"}}))


@pytest.mark.parametrize("reason", HOPELESS)
def test_what_is_hopeless_has_a_remedy(reason: str) -> None:
    with pytest.raises(SandboxStartFailed, match=reason) as caught:
        is_ready(pod(state={"waiting": {"reason": reason, "message": "why"}}))
    assert caught.value.hint == HOPELESS[reason]


def test_an_end_has_the_pods_reason_before_the_containers() -> None:
    late = pod(
        "Failed",
        {"terminated": {"reason": "Error", "exitCode": 137}},
        reason="DeadlineExceeded",
        message="Pod was active on the node longer than the specified deadline",
    )
    over = ending(late)
    assert over
    assert (over.reason, over.exit_code) == ("DeadlineExceeded", 137)
    assert not over.out_of_memory


def test_a_pod_that_never_had_a_container_can_end_too() -> None:
    over = ending(pod("Failed", reason="Evicted", message="The node had condition: [DiskPressure]."))
    assert over
    assert (over.reason, over.exit_code, over.disk_full) == ("Evicted", None, False)


@pytest.mark.parametrize(
    "message",
    [
        "Pod ephemeral local storage usage exceeds the total limit of containers 32Mi.",
        'Usage of EmptyDir volume "tmp" exceeds the limit "64Mi".',
        "Container sandbox exceeded its local ephemeral storage limit",
    ],
)
def test_an_eviction_for_its_own_files(message: str) -> None:
    over = ending(pod("Failed", reason="Evicted", message=message))
    assert over
    assert over.disk_full


def test_no_node_is_told_from_gates() -> None:
    homeless = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    assert unschedulable(pod(conditions=[homeless])) == "0/3 nodes"
    assert unschedulable(pod(conditions=[{**homeless, "reason": "SchedulingGated"}])) is None
