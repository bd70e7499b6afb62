"""Where a connected model may be dialled: by address, and by what a name leads to at that moment."""

import asyncio
from collections.abc import AsyncIterator, Callable
from ipaddress import IPv4Address, ip_address
from typing import Any

import httpx2
import pytest
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from raptorflow.core import dialing
from raptorflow.core.addresses import Address, may_dial
from raptorflow.core.dialing import GuardedNetwork, GuardedTransport
from raptorflow.orchestrator.connections.errors import ModelAddressRefused
from raptorflow.orchestrator.language_models.dialing import client_for, model_network

PUBLIC = ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"]
INSIDE = [
    "127.0.0.1",
    "127.8.9.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
NEVER = [
    str(IPv4Address(0)),
    "::",
    "169.254.169.254",
    "169.254.170.2",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",  # NAT64 of 169.254.169.254
    "2002:a9fe:a9fe::1",  # 6to4 of it
]
# Tunnels and translators into private networks.
HIDDEN = ["64:ff9b::a00:1", "2002:7f00:1::1", "2002:c0a8:101::"]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_allowed(address: str) -> None:
    assert may_dial(ip_address(address), local=False)
    assert may_dial(ip_address(address), local=True)


@pytest.mark.parametrize("address", [*INSIDE, *HIDDEN])
def test_the_inside_only_when_the_operator_says_so(address: str) -> None:
    assert not may_dial(ip_address(address), local=False)
    assert may_dial(ip_address(address), local=True)


@pytest.mark.parametrize("address", NEVER)
def test_where_credentials_are_handed_out_never(address: str) -> None:
    assert not may_dial(ip_address(address), local=False)
    assert not may_dial(ip_address(address), local=True)


def leading_to(*answers: list[str]) -> Callable[[str, int], Any]:
    """A look-up that gives one answer after the other."""
    left = [[ip_address(address) for address in answer] for answer in answers]

    async def look_up(host: str, port: int) -> list[Address]:
        return left.pop(0)

    return look_up


async def ask(network: GuardedNetwork, url: str, **credentials: str) -> httpx2.Response:
    transport = GuardedTransport(network)
    try:
        return await client_for(transport, credentials).post(url, json={"model": "local"})
    finally:
        await transport.aclose()


def always(response: Response) -> Callable[[object], Response]:
    return lambda _: response


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"]])
async def test_a_name_that_leads_inside(model_server: Any, answer: list[str]) -> None:
    url = model_server.url.replace("127.0.0.1", "model.example")
    with pytest.raises(ModelAddressRefused, match=r"model\.example"):
        await ask(model_network(local=False, resolve=leading_to(answer)), url)
    assert model_server.requests == []


async def test_what_was_judged_is_what_is_dialled(model_server: Any) -> None:
    """A second look-up would raise: the name is asked for once, and its answer is the one dialled."""
    model_server.plays(model_server.says("Here."))
    url = model_server.url.replace("127.0.0.1", "model.example")
    answer = await ask(model_network(local=True, resolve=leading_to(["127.0.0.1"])), url)
    assert answer.status_code == 200
    assert model_server.headers[0]["host"].startswith("model.example:")


async def test_the_next_address_is_dialled_when_one_does_not_answer(model_server: Any) -> None:
    model_server.plays(model_server.says("Here."))
    url = model_server.url.replace("127.0.0.1", "model.example")
    network = model_network(local=True, resolve=leading_to(["127.0.0.2", "127.0.0.1"]))
    assert (await ask(network, url)).status_code == 200


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost"])
async def test_other_ways_to_write_loopback(model_server: Any, host: str) -> None:
    with pytest.raises(ModelAddressRefused):
        await ask(model_network(local=False), model_server.url.replace("127.0.0.1", host))
    assert model_server.requests == []


async def test_a_proxy_of_the_environment_is_not_asked(
    model_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look the name up again, and dial what it likes."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, model_server.url)
    with pytest.raises(ModelAddressRefused):
        await ask(model_network(local=False), "http://localhost/v1")
    assert model_server.requests == []


async def test_an_answer_has_an_end(model_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "MOST_BYTES", 100_000)

    async def long() -> AsyncIterator[str]:
        for _ in range(1000):
            yield "x" * 1000
            await asyncio.sleep(0)

    model_server.plays(always(StreamingResponse(long())))
    with pytest.raises(httpx2.ReadError, match="100,000"):
        await ask(model_network(local=True), model_server.url)


async def test_a_packed_answer_is_not_unpacked(model_server: Any) -> None:
    packed = Response(b"", headers={"Content-Encoding": "gzip"})
    model_server.plays(always(packed))
    with pytest.raises(httpx2.DecodingError):
        await ask(model_network(local=True), model_server.url)
    assert model_server.headers[0]["accept-encoding"] == "identity"
