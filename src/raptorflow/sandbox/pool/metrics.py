"""What the queue and the pool count for Prometheus.

The signal for scaling out is the time in the queue (more machines) together with the misses of the pool
(more kept ready): a queue that is empty with a pool that misses wants a larger `pool.max_total`; a queue
that waits wants more places, and thus more machines.
"""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

QUEUE_SECONDS = Histogram(
    "raptorflow_sandbox_queue_wait_seconds", "Time a run waited for a place", buckets=_SHORT
)
WAITING = Gauge("raptorflow_sandbox_queue_waiting", "Runs that wait for a place")
RUNNING = Gauge("raptorflow_sandbox_places_taken", "Sandboxes that runs hold")
REFUSED = Counter("raptorflow_sandbox_refused_total", "Runs refused a place in the queue", ["reason"])
POOL_READY = Gauge("raptorflow_sandbox_pool_ready", "Sandboxes that are ready", ["pool"])
POOL_TARGET = Gauge("raptorflow_sandbox_pool_target", "Sandboxes that should be ready", ["pool"])
POOL_HITS = Counter("raptorflow_sandbox_pool_hits_total", "Claims that found a ready sandbox", ["pool"])
POOL_MISSES = Counter("raptorflow_sandbox_pool_misses_total", "Claims that found none", ["pool"])
POOL_DISCARDED = Counter(
    "raptorflow_sandbox_pool_discarded_total", "Ready sandboxes thrown away unused", ["pool", "reason"]
)
CREATE_SECONDS = Histogram(
    "raptorflow_sandbox_create_seconds",
    "Time until a sandbox could be used; path is cold, warm or snapshot",
    ["driver", "path"],
    buckets=_SHORT,
)


def created(driver: str, path: str) -> int:
    """How many sandboxes this process was given so far that came by this path."""
    labels = {"driver": driver, "path": path}
    return int(REGISTRY.get_sample_value("raptorflow_sandbox_create_seconds_count", labels) or 0)
