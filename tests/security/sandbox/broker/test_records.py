"""What is written down, and when: before anything leaves, and how it truly ended."""

import asyncio
import socket

import pytest
from prometheus_client import REGISTRY
from tests.security.sandbox.broker.hellos import client_hello
from tests.security.sandbox.broker.test_hosts import connect, get
from tests.support.outside import HOST, PUBLIC, Outside, identity, trusting

from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.skills.capabilities import Capabilities

NAME = "EXAMPLE_KEY"
Said = tuple[str, bool, str, str | None]


def said(world: Outside) -> list[Said]:
    return [(one.stage, one.allowed, one.reason, one.address) for one in world.decisions]


@pytest.mark.parametrize("way", ["plain", "tunnel", "sealed"])
async def test_nobody_is_called_while_nothing_can_be_recorded(world: Outside, way: str) -> None:
    called: asyncio.Queue[None] = asyncio.Queue()

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.put_nowait(None)
        writer.close()

    there = f"{HOST}:{await world.serve(count)}"
    gate = world.gate(there, secrets={NAME: there} if way == "sealed" else {})
    world.failing = OSError("the disk is full")
    answer = await world.ask(gate, get(there) if way == "plain" else connect(there))
    assert (answer.status, answer.code) == (500, "broker-failure")
    world.failing = None
    # A connection of our own comes after any that was made: once it is seen, all are.
    (await asyncio.open_connection(PUBLIC, int(there.rpartition(":")[2])))[1].close()
    await asyncio.wait_for(called.get(), 10)
    assert (called.qsize(), world.decisions) == (0, [])


@pytest.mark.parametrize("way", ["plain", "tunnel", "sealed"])
async def test_the_record_stands_with_the_address_before_that_is_dialled(
    world: Outside, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, dial = f"{HOST}:9", asyncio.open_connection
    before: list[Said] = []

    async def watched(host: str, port: int, **options: int) -> object:
        before.extend(said(world))
        return await dial(host, port, **options)

    gate = world.gate(there, secrets={NAME: there} if way == "sealed" else {})
    inside = await world.open(gate)
    monkeypatch.setattr(asyncio, "open_connection", watched)
    inside.send(get(there) if way == "plain" else connect(there))
    assert b"host-unreachable" in await inside.rest()
    await inside.leave()
    assert before == [("decided", True, "allowed", PUBLIC)]
    assert said(world) == [*before, ("ended", True, "host-unreachable", PUBLIC)]
    assert len({one.id for one in world.decisions}) == 1


async def test_a_host_that_was_connected_to_is_not_recorded_as_refused(world: Outside) -> None:
    origin = await world.origin(tls=HOST)
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there, secrets={NAME: there}))
    assert b" 200 " in await inside.connect(there)
    inside.send(client_hello("evil.example"))
    await inside.rest()
    await inside.leave()
    assert said(world) == [
        ("decided", True, "allowed", PUBLIC),
        ("decided", False, "server-name-mismatch", PUBLIC),
        ("ended", True, "server-name-mismatch", PUBLIC),
    ]


@pytest.mark.parametrize("sealed", [True, False])
async def test_a_program_that_leaves_before_its_hello_was_not_refused(world: Outside, sealed: bool) -> None:
    origin = await world.origin(tls=HOST)
    world.settings["tls_only_ports"] = [origin.port]
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there, secrets={NAME: there} if sealed else {}))
    assert b" 200 " in await inside.connect(there)
    await inside.leave()
    assert said(world) == [
        ("decided", True, "allowed", PUBLIC),
        ("ended", True, "connection-lost", PUBLIC),
    ]


async def test_a_host_that_cannot_show_who_it_is_was_connected_to_all_the_same(world: Outside) -> None:
    origin = await world.origin(tls="evil.example")
    there = f"{HOST}:{origin.port}"
    answer = await world.ask(world.gate(there, secrets={NAME: there}), connect(there))
    assert answer.raw.startswith(b"HTTP/1.1 502 ")
    assert said(world) == [
        ("decided", True, "allowed", PUBLIC),
        ("ended", True, "host-untrusted", PUBLIC),
    ]


async def test_a_host_dialled_anew_is_recorded_when_its_address_is_another(world: Outside) -> None:
    world.settings["allowed_ranges"] = ["127.0.0.2/31"]
    origin = await world.origin(lambda _: b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n", tls=HOST)
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there, secrets={NAME: there})
    inside = await world.open(gate)
    await inside.connect(there)
    await inside.tls(trusting(gate.authority() or b""), HOST)
    inside.send(f"GET / HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    await inside.until(b"\r\n\r\n")
    world.names.names[HOST] = ["127.0.0.3"]
    inside.send(f"GET / HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    assert b"host-unreachable" in await inside.rest()
    await inside.leave()
    assert [one.address for one in world.decisions if one.stage == "decided"] == [PUBLIC, "127.0.0.3"]


async def test_a_log_that_refuses_stops_what_is_allowed_and_is_still_told_the_rest(world: Outside) -> None:
    gone, told = False, list[Decision]()

    def keep(decision: Decision) -> None:
        told.append(decision)
        if gone:
            raise AuditUnavailable("The disk is full.")

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    allowed = {"kind": "connect", "allowed": "true", "reason": "allowed"}
    before = REGISTRY.get_sample_value("raptorflow_broker_decisions_total", allowed) or 0
    there = f"{HOST}:{await world.serve(hold)}"
    settings = BrokerSettings.model_validate(world.settings)
    policy = EgressPolicy(Capabilities(network=frozenset({there})))
    gate = Broker(settings, keep, resolver=world.names).admit(identity("a"), policy, world.vault)
    open_before = await world.open(gate)
    await open_before.connect(there)
    gone = True
    assert (await world.ask(gate, connect("evil.example:443"))).code == "host-not-allowed"
    assert (await world.ask(gate, connect(there))).code == "broker-failure"
    await open_before.leave()
    await gate.close()
    assert [(one.stage, one.allowed, one.reason) for one in told] == [
        ("decided", True, "allowed"),
        ("decided", False, "host-not-allowed"),
        ("decided", True, "allowed"),
        ("decided", False, "broker-failure"),
        ("ended", True, "done"),
    ]
    assert told[2].id == told[3].id
    # What could not be kept was not allowed, and is not counted as such.
    assert REGISTRY.get_sample_value("raptorflow_broker_decisions_total", allowed) == before + 1


async def test_at_most_four_addresses_of_a_name_are_dialled(world: Outside) -> None:
    world.settings["allowed_ranges"] = ["127.0.0.0/8"]
    world.names.names[HOST] = [f"127.0.1.{last}" for last in range(1, 9)]
    with socket.create_server(("127.0.1.8", 0)) as last:
        there = f"{HOST}:{last.getsockname()[1]}"
        assert (await world.ask(world.gate(there), get(there))).code == "host-unreachable"
    assert len([one for one in world.decisions if one.stage == "decided"]) == 4


async def test_a_request_that_cannot_be_read_is_recorded_also_behind_another(world: Outside) -> None:
    there = f"{HOST}:{(await world.origin()).port}"
    inside = await world.open(world.gate(there))
    assert (await inside.get(f"http://{there}/", there)).status == 200
    inside.send(b"GET http://other.example/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert (await inside.answer()).status == 400
    await inside.leave()
    last = world.decisions[-1]
    assert (last.kind, last.allowed, last.reason) == ("connection", False, "request-invalid")


async def test_a_program_that_leaves_between_two_requests_has_lost_nothing(world: Outside) -> None:
    there = f"{HOST}:{(await world.origin(tls=HOST)).port}"
    inside, _ = await world.open_sealed(there)
    assert (await inside.get("/", there)).status == 200
    # Without a word of TLS, as Python's own client does.
    inside.writer.transport.abort()
    await inside.served
    assert world.decisions[-1].reason == "done"


@pytest.mark.parametrize("target", ["http://user:hidden@{there}/x", "/hidden/x", "user:hidden@{there}"])
async def test_credentials_are_not_recorded(world: Outside, target: str) -> None:
    there = f"{HOST}:{(await world.origin()).port}"
    method = "GET" if "/" in target else "CONNECT"
    asked = f"{method} {target.format(there=there)} HTTP/1.1\r\nHost: {there}\r\n\r\n"
    answer = await world.ask(world.gate(there), asked.encode())
    assert 400 <= answer.status < 500
    assert world.decisions
    assert "hidden" not in repr(world.decisions)


async def test_handles_that_left_are_counted_also_when_the_host_breaks_off(world: Outside) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    there = f"{HOST}:{await world.serve(break_off, tls=HOST)}"
    inside, gate = await world.open_sealed(there)
    assert (await inside.get(f"/?key={gate.environment()[NAME]}", there)).status == 502
    await inside.leave()
    assert world.decisions[-1].handles_left == 1
