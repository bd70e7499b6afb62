"""A connection to a host that is kept between two requests is used again only while the host keeps still."""

import asyncio

import pytest
from tests.support.outside import HOST, Inside, Outside, ok, read_request
from tests.support.traces import turns

TURNS = 20
LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"


class Host:
    """Answers one request a connection, and then does what a test says."""

    def __init__(self, behind: bytes = b"", *, ends: bool) -> None:
        self.behind, self.ends = behind, ends
        self.connections = 0
        self.hang_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await read_request(reader)
            writer.write(ok(b"hello") + self.behind)
            if self.ends:
                await self.hang_up.wait()
            else:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()


async def told(host: Host) -> None:
    """The host hangs up, and the broker has had time to see it."""
    host.hang_up.set()
    await turns(TURNS)


async def plain(world: Outside, host: Host) -> tuple[Inside, str, str]:
    there = f"{HOST}:{await world.serve(host.serve)}"
    return await world.open(world.gate(there)), there, f"http://{there}/"


async def sealed(world: Outside, host: Host) -> tuple[Inside, str, str]:
    there = f"{HOST}:{await world.serve(host.serve, tls=HOST)}"
    inside, _ = await world.open_sealed(there)
    return inside, there, "/"


@pytest.mark.parametrize("way", [plain, sealed])
@pytest.mark.parametrize("host", [Host(ends=True), Host(LATE, ends=False)], ids=["hung up", "said more"])
async def test_another_one_is_opened_when_the_host_did_not_keep_still(
    world: Outside, way: type, host: Host
) -> None:
    host.connections, host.hang_up = 0, asyncio.Event()
    inside, there, target = await way(world, host)
    for number in (1, 2):
        host.hang_up.clear()
        answer = await inside.get(target, there)
        assert (answer.status, answer.body) == (200, b"hello")
        await told(host)
        assert host.connections == number
    await inside.leave()


async def test_a_host_that_hung_up_before_the_first_request_is_called_again(world: Outside) -> None:
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            await read_request(reader)
            writer.write(ok(b"hello"))
        writer.close()

    there = f"{HOST}:{await world.serve(serve, tls=HOST)}"
    inside, _ = await world.open_sealed(there)
    answer = await inside.get("/", there)
    assert (answer.status, calls) == (200, 2)
    await inside.leave()


async def test_one_that_is_kept_is_used_again(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there))
    for _ in range(3):
        assert (await inside.get(f"http://{there}/", there)).body == b"hello"
    assert origin.connections == 1
    await inside.leave()
