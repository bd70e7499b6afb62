"""What Prometheus sees of the broker; never a host, which would be a series each."""

from prometheus_client import Counter, Gauge, Histogram

DECISIONS = Counter(
    "raptorflow_broker_decisions_total", "What sandboxes wanted of the outside", ["kind", "allowed", "reason"]
)
OPEN = Gauge("raptorflow_broker_open_connections", "Connections out of sandboxes that are open")
OVERHEAD = Histogram(
    "raptorflow_broker_overhead_seconds",
    "The broker's own time from a request to its open connection, without name servers and hosts",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5),
)
_BYTES = Counter("raptorflow_broker_bytes_total", "Bytes out of and into sandboxes", ["direction"])
BYTES_UP, BYTES_DOWN = _BYTES.labels("up"), _BYTES.labels("down")
