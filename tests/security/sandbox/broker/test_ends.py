"""How a connection ends inside: whole answers end before it is closed, broken ones do not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.support.outside import HOST, Inside, Outside, ok, read_request

from raptorflow.sandbox.broker.wire.streams import SocketStream

CLOSE = "Connection: close\r\n"


Way = Callable[[Outside, bytes], Awaitable[Inside]]


@pytest.fixture
def ends(world: Outside) -> list[str]:
    """How streams to the sandbox are ended, in order."""
    noted: list[str] = []

    class Noted(SocketStream):
        async def end(self) -> None:
            noted.append("end")
            await super().end()

        def close(self) -> None:
            noted.append("close")
            super().close()

    world.stream = Noted
    return noted


async def origin(world: Outside, answer: bytes, tls: str | None = None) -> str:
    """A host that answers once, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        writer.close()

    return f"{HOST}:{await world.serve(handle, tls=tls)}"


async def plain(world: Outside, answer: bytes) -> Inside:
    there = await origin(world, answer)
    inside = await world.open(world.gate(there))
    inside.send(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n{CLOSE}\r\n".encode())
    return inside


async def tunnel(world: Outside, answer: bytes) -> Inside:
    there = await origin(world, answer, tls=HOST)
    inside = await world.open_tls(world.gate(there), there, world.authority.cert_pem.bytes())
    inside.send(f"GET / HTTP/1.1\r\nHost: {there}\r\n{CLOSE}\r\n".encode())
    return inside


async def sealed(world: Outside, answer: bytes) -> Inside:
    there = await origin(world, answer, tls=HOST)
    inside, _ = await world.open_sealed(there)
    inside.send(f"GET / HTTP/1.1\r\nHost: {there}\r\n{CLOSE}\r\n".encode())
    return inside


async def service(world: Outside, _answer: bytes) -> Inside:
    inside = await world.open(world.gate(services={"ads": frozenset({"read"})}), "services")
    inside.send(b'{"service": "ads", "operation": "read"}\n')
    return inside


async def refused(world: Outside, _answer: bytes) -> Inside:
    inside = await world.open(world.gate())
    inside.send(f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    return inside


@pytest.mark.parametrize("way", [plain, tunnel, sealed, service, refused])
async def test_a_whole_answer_ends_before_its_connection_is_closed(
    world: Outside, ends: list[str], way: Way
) -> None:
    inside = await way(world, ok(b"hello"))
    assert await inside.rest()
    await inside.leave()
    assert ends[0] == "end"
    assert ends[-1] == "close"


@pytest.mark.parametrize("way", [plain, sealed])
async def test_an_answer_that_breaks_off_is_closed_without_an_end(
    world: Outside, ends: list[str], way: Way
) -> None:
    inside = await way(world, ok(b"hello").replace(b"Content-Length: 5", b"Content-Length: 6"))
    assert b"hello" in await inside.rest()
    await inside.leave()
    assert ends == ["close"]
