"""How much of the network one sandbox gets, and that its neighbours do not feel it."""

import asyncio

import pytest
from tests.security.sandbox.broker.test_hosts import connect, get
from tests.support.outside import HOST, Inside, Outside, ok


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says nothing and keeps the line."""
    await reader.read()
    writer.close()


async def test_connections_that_are_open_are_counted(world: Outside) -> None:
    world.limits |= {"connections": 3}
    there = f"{HOST}:{await world.serve(hold)}"
    gate, neighbour = world.gate(there), world.gate(there, who="b")
    held: list[Inside] = []
    for _ in range(3):
        held.append(await world.open(gate))
        assert b" 200 " in await held[-1].connect(there)
    refused = await world.ask(gate, connect(there))
    assert (refused.status, refused.code) == (429, "too-many-connections")
    assert b" 200 " in await (await world.open(neighbour)).connect(there)
    await held[0].leave()
    assert b" 200 " in await (await world.open(gate)).connect(there)


async def test_connections_a_second_are_counted_and_a_flood_is_one_record(world: Outside) -> None:
    world.limits |= {"connections_per_second": 0.001, "burst": 5}
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    answers = [await world.ask(gate, get(there)) for _ in range(200)]
    assert [one.status for one in answers] == [200] * 5 + [429] * 195
    assert answers[-1].code == "too-fast"
    assert origin.connections == 5
    await gate.close()
    floods = [one for one in world.decisions if one.reason == "too-fast"]
    assert sum(one.times for one in floods) == 195
    assert len(floods) < 20


async def test_requests_on_one_connection_wait_for_their_turn(world: Outside) -> None:
    world.limits |= {"connections_per_second": 50, "burst": 1}
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there))
    began = asyncio.get_running_loop().time()
    for _ in range(6):
        inside.send(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
        assert (await inside.answer()).status == 200
    assert asyncio.get_running_loop().time() - began > 0.09


@pytest.mark.parametrize("tunnel", [True, False])
async def test_bytes_down_end_at_the_cap(world: Outside, tunnel: bool) -> None:
    world.limits |= {"bytes_down": 200_000}
    body = bytes(1_000_000)
    origin = await world.origin(lambda _: ok(body))
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    if tunnel:
        raw = await world.serve(_flood)
        gate = world.gate(f"{HOST}:{raw}")
        inside = await world.open(gate)
        await inside.connect(f"{HOST}:{raw}")
        got = await inside.rest()
    else:
        got = (await world.ask(gate, get(there))).raw
    assert 0 < len(got) <= 200_000
    assert world.decisions[-1].reason == "bytes-spent"
    # What is spent stays spent.
    assert (await world.ask(gate, get(there))).raw == b""


async def test_bytes_up_end_at_the_cap(world: Outside) -> None:
    world.limits |= {"bytes_up": 200_000}
    received = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while data := await reader.read(65_536):
            received += len(data)
        writer.close()

    there = f"{HOST}:{await world.serve(count)}"
    inside = await world.open(world.gate(there))
    await inside.connect(there)
    inside.send(bytes(1_000_000))
    await inside.rest()
    assert received <= 200_000
    assert world.decisions[-1].reason == "bytes-spent"


async def test_a_connection_on_which_nothing_moves_is_cut(world: Outside) -> None:
    world.limits |= {"idle_seconds": 0.2}
    there = f"{HOST}:{await world.serve(hold)}"
    gate = world.gate(there)
    inside = await world.open(gate)
    await inside.connect(there)
    assert await inside.rest() == b""
    assert [one.reason for one in world.decisions] == ["allowed", "too-slow"]


async def test_a_connection_that_lasts_too_long_is_cut_though_it_moves(world: Outside) -> None:
    world.limits |= {"connection_seconds": 0.3, "idle_seconds": 5, "bytes_down": 1 << 40}
    there = f"{HOST}:{await world.serve(_flood)}"
    inside = await world.open(world.gate(there))
    await inside.connect(there)
    while await inside.reader.read(1 << 20):
        pass
    assert world.decisions[-1].reason == "took-too-long"


@pytest.mark.parametrize("first", [b"", b"GET http://api.ex", b"CONNECT"])
async def test_a_head_that_does_not_come_is_not_waited_for(world: Outside, first: bytes) -> None:
    world.limits |= {"handshake_seconds": 0.2}
    inside = await world.open(world.gate(f"{HOST}:80"))
    inside.send(first)
    assert b"too-slow" in await inside.rest()
    assert world.refused() == ["too-slow"]


async def test_a_hello_that_does_not_come_is_not_waited_for(world: Outside) -> None:
    port = await world.serve(hold)
    world.limits |= {"handshake_seconds": 0.2}
    world.settings["tls_only_ports"] = [port]
    inside = await world.open(world.gate(f"{HOST}:{port}"))
    await inside.connect(f"{HOST}:{port}")
    assert await inside.rest() == b""
    await inside.leave()
    assert [one.reason for one in world.decisions] == ["allowed", "too-slow"]


async def test_a_name_server_that_does_not_answer_is_not_waited_for(
    world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.limits |= {"resolve_seconds": 0.2}

    async def never(host: str, port: int) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(world.names, "resolve", never)
    assert (await world.ask(world.gate(f"{HOST}:80"), get(HOST))).code == "name-unknown"


async def test_a_client_that_does_not_read_holds_back_the_server_and_not_memory(world: Outside) -> None:
    sent = 0

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while sent < 50_000_000:
            writer.write(bytes(65_536))
            sent += 65_536
            await writer.drain()
        writer.close()

    world.limits |= {"idle_seconds": 0.5}
    there = f"{HOST}:{await world.serve(pour)}"
    inside = await world.open(world.gate(there))
    await inside.connect(there)
    await asyncio.wait([inside.served], timeout=10)
    assert world.decisions[-1].reason == "too-slow"
    assert sent < 20_000_000


async def _flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
    except ConnectionError:
        writer.close()
