"""Name servers that do not answer: whoever asked for such names waits alone."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest
from tests.security.sandbox.broker.test_hosts import get
from tests.support.outside import HOST, PUBLIC, Outside, identity
from tests.support.traces import soon

from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.destinations.lookups import AT_ONCE
from raptorflow.sandbox.broker.destinations.resolver import THREADS
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy, Identity, Resolver
from raptorflow.sandbox.broker.settings import BrokerLimits, BrokerSettings
from raptorflow.skills.capabilities import Capabilities

SILENT = "silent.example"
ASKED = 4 * AT_ONCE


class Crowd:
    """Sandboxes of several tenants at one broker."""

    def __init__(self, world: Outside, resolver: Resolver | None = None, seconds: float = 0.3) -> None:
        self._world = world
        settings = BrokerSettings(**world.settings, limits=BrokerLimits(resolve_seconds=seconds))
        self._broker = Broker(settings, world.decisions.append, resolver=resolver)

    def gate(self, who: Identity, *network: str) -> Gate:
        policy = EgressPolicy(Capabilities(network=frozenset(network)))
        return self._broker.admit(who, policy, self._world.vault)


class Slow:
    """A resolver whose answers wait; counts how many are asked of it at once."""

    def __init__(self) -> None:
        self.answering = asyncio.Event()
        self.open = self.most = 0

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if host == SILENT:
                await self.answering.wait()
            return [ip_address(PUBLIC)]
        finally:
            self.open -= 1


async def codes(world: Outside, gate: Gate) -> set[str]:
    asked = [world.ask(gate, get(SILENT)) for _ in range(ASKED)]
    return {answer.code for answer in await asyncio.gather(*asked)}


async def test_silent_name_servers_of_one_tenant_hold_up_no_other(
    world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, answering, real, open_ = await world.origin(), Event(), socket.getaddrinfo, list[str]()

    def look_up(host: str, *args: Any, **options: Any) -> list[Any]:
        if host == HOST:
            return real(PUBLIC, *args, **options)
        open_.append(host)
        answering.wait()
        raise socket.gaierror("nobody answers")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    crowd = Crowd(world)
    a, b = crowd.gate(identity("a"), f"{SILENT}:80"), crowd.gate(identity("b"), f"{HOST}:{origin.port}")
    try:
        assert await codes(world, a) == {"name-unknown", "too-many-lookups"}
        # Nobody waits for them any longer, but they hold their threads.
        assert await codes(world, a) == {"too-many-lookups"}
        assert len(open_) == AT_ONCE < THREADS / 10
        assert (await world.ask(b, get(f"{HOST}:{origin.port}"))).status == 200
    finally:
        answering.set()
        await a.close()
        await b.close()


async def test_all_sandboxes_of_a_tenant_share_its_turns_and_get_them_back(world: Outside) -> None:
    slow = Slow()
    crowd = Crowd(world, slow)
    one, other = Identity("s1", "r1", "acme", "x"), Identity("s2", "r2", "acme", "x")
    gates = [crowd.gate(who, f"{SILENT}:80") for who in (one, other)]
    assert set().union(*[await codes(world, gate) for gate in gates]) == {"name-unknown", "too-many-lookups"}
    assert slow.open == slow.most == AT_ONCE
    slow.answering.set()
    # Nothing listens there, which is told only once the name is known.
    assert await codes(world, gates[1]) == {"host-unreachable"}
    assert (slow.open, slow.most) == (0, AT_ONCE)


async def test_names_that_are_answered_are_looked_up_one_after_the_other_and_none_is_refused(
    world: Outside,
) -> None:
    slow = Slow()
    gate = Crowd(world, slow, seconds=10).gate(identity("a"), f"{SILENT}:80")
    asked = [asyncio.create_task(world.ask(gate, get(SILENT))) for _ in range(ASKED)]
    await soon(lambda: slow.open == AT_ONCE)
    slow.answering.set()
    assert {(await one).code for one in asked} == {"host-unreachable"}
    assert slow.most == AT_ONCE
