"""Service calls: what may be called is checked before anybody is called, and for one run and skill alone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.outside import Outside, identity

from raptorflow.base.errors import RateLimited
from raptorflow.base.json import dumps, loads
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy, ServiceCall
from raptorflow.skills.capabilities import Capabilities

SERVICES = {"google-ads": frozenset({"campaigns.read"})}


class Gateway:
    """Remembers what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self._answer = answer
        self.calls: list[ServiceCall] = []

    async def call(self, call: ServiceCall) -> Mapping[str, Any]:
        self.calls.append(call)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def ask(world: Outside, gate: Gate, line: bytes) -> dict[str, Any]:
    inside = await world.open(gate, "services")
    inside.send(line)
    answer = await inside.rest()
    await inside.served
    assert answer.count(b"\n") == 1
    return loads(answer)


def call(service: str = "google-ads", operation: str = "campaigns.read", **more: object) -> bytes:
    return (
        dumps({"service": service, "operation": operation, "arguments": {"limit": 3}} | more).encode() + b"\n"
    )


async def test_without_a_gateway_a_granted_call_says_that_nobody_has_connected_the_service(
    world: Outside,
) -> None:
    error = (await ask(world, world.gate(services=SERVICES), call()))["error"]
    assert error["code"] == "service-not-connected"
    assert "google-ads" in error["message"]
    assert error["hint"]
    assert world.refused() == ["service-not-connected"]


async def test_a_granted_call_reaches_the_gateway_with_the_runs_own_token(world: Outside) -> None:
    world.caller = gateway = Gateway({"rows": [1, 2]})
    who = identity("a")
    gate = world.broker().admit(who, EgressPolicy(Capabilities(services=SERVICES)), world.vault)
    assert await ask(world, gate, call()) == {"result": {"rows": [1, 2]}}
    made = gateway.calls[0]
    assert (made.service, made.operation, made.arguments) == ("google-ads", "campaigns.read", {"limit": 3})
    assert made.who is who
    assert len(who.token) > 40
    assert who.token not in repr(world.decisions)
    assert identity("a").token != who.token
    assert [(one.kind, one.host, one.stage) for one in world.decisions] == [
        ("services", "google-ads/campaigns.read", "decided"),
        ("services", "google-ads/campaigns.read", "ended"),
    ]


@pytest.mark.parametrize(
    ("service", "operation"),
    [("google-ads", "campaigns.write"), ("hubspot", "campaigns.read"), ("google-ads", "campaigns.read.all")],
)
async def test_a_call_that_is_not_granted_reaches_nobody_and_says_which_line_would_allow_it(
    world: Outside, service: str, operation: str
) -> None:
    world.caller = gateway = Gateway({})
    error = (await ask(world, world.gate(services=SERVICES), call(service, operation)))["error"]
    assert error["code"] == "operation-not-allowed"
    assert "[permissions]\nservices = { " + service in error["hint"]
    assert f'"{operation}"' in error["hint"]
    assert (gateway.calls, world.refused()) == ([], ["operation-not-allowed"])


async def test_a_call_that_is_declared_and_not_granted_says_so(world: Outside) -> None:
    gate = world.admit(EgressPolicy(Capabilities.none(), Capabilities(services=SERVICES)))
    error = (await ask(world, gate, call()))["error"]
    assert (error["code"], "did not grant it" in error["hint"]) == ("operation-not-allowed", True)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"not json\n",
        b'{"service": "google-ads"}\n',
        b'{"service": "google-ads", "operation": 1, "arguments": {}}\n',
        b'{"service": "google-ads", "operation": "campaigns.read", "arguments": []}\n',
        b'{"service": "google-ads", "operation": "campaigns.read", "token": "x"}\n',
        b'{"service": "../google-ads", "operation": "campaigns.read"}\n',
        b'{"service": "google-ads\\n", "operation": "campaigns.read"}\n',
        b'{"service": "GOOGLE-ADS", "operation": "campaigns.read"}\n',
        b'\xff\xfe{"service": 1}\n',
        b"[" * 100_000 + b"\n",
        b'{"service": "' + b"a" * 100_000 + b'", "operation": "b"}\n',
    ],
)
async def test_what_is_no_call_is_refused(world: Outside, line: bytes) -> None:
    world.caller = gateway = Gateway({})
    error = (await ask(world, world.gate(services=SERVICES), line))["error"]
    assert (error["code"], gateway.calls) == ("request-invalid", [])


async def test_a_line_without_an_end_is_not_read_for_ever(world: Outside) -> None:
    world.limits |= {"service_bytes": 10_000}
    error = (await ask(world, world.gate(services=SERVICES), b"a" * 60_000))["error"]
    assert error["code"] == "head-too-large"


async def test_the_gateways_refusal_reaches_the_skill_and_its_faults_do_not(world: Outside) -> None:
    world.caller = Gateway(RateLimited("Too many campaigns.", hint="Wait."))
    gate = world.gate(services=SERVICES)
    assert await ask(world, gate, call()) == {
        "error": {"code": "rate-limited", "message": "Too many campaigns.", "hint": "Wait."}
    }
    world.caller = Gateway(RuntimeError("password=hunter2"))
    error = (await ask(world, world.gate(services=SERVICES), call()))["error"]
    assert error["code"] == "broker-failure"
    assert "hunter2" not in dumps(error)


async def test_a_call_during_which_the_grant_is_taken_back_is_cut(world: Outside) -> None:
    gate: Gate

    class Slow:
        async def call(self, call: ServiceCall) -> Mapping[str, Any]:
            gate.set_policy(None)
            return {"late": True}

    world.caller = Slow()
    gate = world.gate(services=SERVICES)
    inside = await world.open(gate, "services")
    inside.send(call())
    assert await inside.rest() == b""
    await inside.served
    assert world.decisions[-1].reason == "policy-changed"


async def test_a_caller_that_does_not_answer_is_not_waited_for(world: Outside) -> None:
    class Never:
        async def call(self, call: ServiceCall) -> Mapping[str, Any]:
            await asyncio.Event().wait()
            return {}

    world.limits |= {"service_seconds": 0.2}
    world.caller = Never()
    error = (await ask(world, world.gate(services=SERVICES), call()))["error"]
    assert error["code"] == "too-slow"
