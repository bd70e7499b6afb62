"""What happens to open connections when the policy changes, the run ends, or the broker fails."""

import asyncio

import pytest
from tests.security.sandbox.broker.test_hosts import connect, get
from tests.support.outside import HOST, Outside

from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.skills.capabilities import Capabilities


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


def policy(*network: str) -> EgressPolicy:
    return EgressPolicy(Capabilities(network=frozenset(network)))


async def test_a_tighter_policy_cuts_open_tunnels_at_once_and_leaves_the_others(world: Outside) -> None:
    one, other = [f"{HOST}:{await world.serve(echo)}" for _ in range(2)]
    gate = world.gate(one, other)
    cut, kept = await world.open(gate), await world.open(gate)
    for inside, there in ((cut, one), (kept, other)):
        await inside.connect(there)
        inside.send(b"\0ping\n")
        assert await inside.until(b"\n") == b"\0ping\n"
    gate.set_policy(policy(other))
    assert await cut.rest() == b""
    kept.send(b"pong\n")
    assert await kept.until(b"\n") == b"pong\n"
    assert (await world.ask(gate, connect(one))).code == "host-not-allowed"
    assert [one.reason for one in world.decisions if one.stage == "ended"] == ["policy-changed"]
    # A wider one allows it again.
    gate.set_policy(policy(one, other))
    assert b" 200 " in await (await world.open(gate)).connect(one)


async def test_a_tighter_policy_cuts_kept_plain_connections_too(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    inside = await world.open(gate)
    inside.send(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    assert (await inside.answer()).status == 200
    gate.set_policy(None)
    assert await inside.rest() == b""


async def test_closing_the_gate_cuts_everything_and_nothing_opens_after(world: Outside) -> None:
    there = f"{HOST}:{await world.serve(echo)}"
    gate = world.gate(there)
    inside = await world.open(gate)
    await inside.connect(there)
    await gate.close()
    await asyncio.wait_for(inside.served, 10)
    assert await inside.rest() == b""
    assert world.decisions[-1].reason == "gate-closed"
    assert (await world.ask(gate, get(there))).raw == b""
    gate.set_policy(policy(there))
    assert (await world.ask(gate, get(there))).raw == b""
    await gate.close()


async def test_when_a_decision_cannot_be_recorded_nothing_leaves(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    world.failing = OSError("the disk is full")
    answer = await world.ask(gate, get(there))
    assert answer.status >= 400
    assert origin.heard == []
    world.failing = None
    assert (await world.ask(gate, get(there))).status == 200


@pytest.mark.parametrize("request_", [get, connect])
async def test_when_the_broker_itself_fails_nothing_leaves(
    world: Outside, request_: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)

    async def broken(host: str, port: int) -> list[object]:
        raise ZeroDivisionError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(world.names, "resolve", broken)
        answer = await world.ask(gate, get(there) if request_ is get else connect(there))
    assert (answer.status, answer.code) == (500, "broker-failure")
    assert b"secret detail" not in answer.raw
    assert (origin.connections, world.refused()) == (0, ["broker-failure"])
    assert (await world.ask(gate, get(there))).status == 200


async def test_a_cancelled_stream_is_let_go_and_recorded(world: Outside) -> None:
    there = f"{HOST}:{await world.serve(echo)}"
    inside = await world.open(world.gate(there))
    await inside.connect(there)
    inside.served.cancel()
    assert await inside.rest() == b""
    assert [one.stage for one in world.decisions] == ["decided", "ended"]


async def test_one_sandboxs_identity_is_on_its_records_whatever_it_sends(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    a, b = world.gate(there, who="a"), world.gate(who="b")
    forged = get(there).replace(b"Connection", b"X-Sandbox: sandbox-a\r\nX-Tenant: tenant-a\r\nConnection")
    assert (await world.ask(a, get(there))).status == 200
    assert (await world.ask(b, forged)).code == "host-not-allowed"
    assert [(one.who.sandbox_id, one.allowed) for one in world.decisions if one.stage == "decided"] == [
        ("sandbox-a", True),
        ("sandbox-b", False),
    ]
