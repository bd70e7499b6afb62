"""What Prometheus sees of the broker."""

from prometheus_client import REGISTRY
from tests.security.sandbox.broker.test_caps import hold
from tests.security.sandbox.broker.test_hosts import connect, get
from tests.support.outside import HOST, Outside


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"raptorflow_broker_{name}", labels) or 0.0


async def test_decisions_are_counted_by_reason_and_connections_while_they_are_open(world: Outside) -> None:
    there = f"{HOST}:{await world.serve(hold)}"
    gate = world.gate(there)
    refused = {"kind": "connect", "allowed": "false", "reason": "host-not-allowed"}
    allowed = {"kind": "connect", "allowed": "true", "reason": "allowed"}
    before = [metric("decisions_total", **labels) for labels in (refused, allowed)]
    opened, observed = metric("open_connections"), metric("overhead_seconds_count")
    await world.ask(gate, connect("evil.example:443"))
    inside = await world.open(gate)
    await inside.connect(there)
    after = [metric("decisions_total", **labels) for labels in (refused, allowed)]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1]
    assert metric("open_connections") == opened + 1
    assert metric("overhead_seconds_count") == observed + 1
    await inside.leave()
    assert metric("open_connections") == opened


async def test_bytes_are_counted_and_no_host_becomes_a_label(world: Outside) -> None:
    origin = await world.origin()
    before = metric("bytes_total", direction="down")
    await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))
    assert metric("bytes_total", direction="down") > before
    broker = [one for one in REGISTRY.collect() if one.name.startswith("raptorflow_broker_")]
    assert broker
    assert not any(
        HOST in value for one in broker for sample in one.samples for value in sample.labels.values()
    )
