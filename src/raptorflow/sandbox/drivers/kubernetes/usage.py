"""What a pod uses, as the cluster's own counters say; the guest is never asked."""

from dataclasses import replace

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.drivers.kubernetes.api import Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.objects.quantity import quantity
from raptorflow.sandbox.drivers.kubernetes.state import ending

METRICS = "metrics.k8s.io/v1beta1"


async def measured(api: Api, pod_name: str, before: Usage) -> Usage:
    """The last sample of the metrics server, where there is one.

    It knows the working set, which files in memory are part of. Its processor figure is a rate and no sum, so
    that stays unknown.
    """
    try:
        sample = await api.find(api.place("pods", pod_name, METRICS))
    except ApiError:
        # Measuring is no reason to fail: there may be no metrics server, or it may be down.
        return before
    if sample is None:
        return before
    containers: list[JsonObject] = sample.get("containers") or []
    used = round(sum(quantity(entry["usage"]["memory"]) for entry in containers))
    return replace(before, memory_bytes=used, peak_memory_bytes=max(used, before.peak_memory_bytes or 0))


# What a pod's status tells is all that is known: no counter says whether a program met a limit and went on.
UNSEEN = Usage(exact=False)


def with_ending(usage: Usage, pod: JsonObject) -> Usage:
    """And how it ended, where that was a limit."""
    over = ending(pod)
    if over is None:
        return usage
    return replace(
        usage,
        memory_bytes=None,
        exact=over.out_of_memory or over.disk_full,
        out_of_memory=int(over.out_of_memory),
        disk_full=over.disk_full,
        over="oom" if over.out_of_memory else None,
    )
