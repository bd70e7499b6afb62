"""Hosts that answer before they have read everything, and programs that do not wait for answers."""

import asyncio

import pytest
from tests.support.outside import HOST, Outside, ok, read_request

from raptorflow.sandbox.broker.http import exchange

MIB = 1024 * 1024
BODY = 20 * MIB
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"


def post(there: str, size: int) -> bytes:
    return f"POST http://{there}/ HTTP/1.1\r\nHost: {there}\r\nContent-Length: {size}\r\n\r\n".encode()


async def test_a_host_that_answers_early_is_sent_the_whole_body(world: Outside) -> None:
    came: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        came.set_result(len(await reader.readexactly(BODY)))
        writer.close()

    there = f"{HOST}:{await world.serve(serve)}"
    inside = await world.open(world.gate(there))
    inside.send(post(there, BODY))
    assert (await inside.answer()).body == b"hello"
    inside.send(bytes(BODY))
    assert await came == BODY
    await inside.leave()
    assert world.decisions[-1].reason == "done"


async def test_a_program_may_go_on_sending_when_the_host_has_refused_it(world: Outside) -> None:
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(TOO_LARGE)
        await heard.wait()
        writer.close()

    there = f"{HOST}:{await world.serve(serve)}"
    inside = await world.open(world.gate(there))
    inside.send(post(there, BODY))
    assert (await inside.answer()).status == 413
    heard.set()
    for _ in range(BODY // MIB):
        inside.send(bytes(MIB))
        await inside.writer.drain()
    assert await inside.reader.read() == b""
    await inside.leave()


async def test_who_has_spent_its_bytes_is_told_so_while_it_sends(world: Outside) -> None:
    origin = await world.origin()
    world.limits["bytes_up"] = MIB
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there))
    inside.send(post(there, BODY))
    for _ in range(BODY // MIB):
        inside.send(bytes(MIB))
        await inside.writer.drain()
    answer = await inside.answer()
    assert (answer.status, answer.code) == (403, "bytes-spent")
    await inside.leave()


async def test_a_host_that_hangs_is_let_go_of_soon_after_the_program_has_left(
    world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LEFT_SECONDS", 0.05)
    let_go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        assert await reader.read() == b""
        let_go.set()
        writer.close()

    there = f"{HOST}:{await world.serve(serve)}"
    inside = await world.open(world.gate(there))
    inside.send(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    inside.writer.write_eof()
    await asyncio.wait_for(let_go.wait(), 10)
    await inside.leave()
    assert world.decisions[-1].reason == "connection-lost"


async def test_a_program_that_only_ends_its_side_still_gets_its_answer(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there))
    inside.send(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    inside.writer.write_eof()
    assert (await inside.answer()).body == b"hello"
    await inside.leave()
    assert world.decisions[-1].reason == "done"


async def test_requests_that_come_ahead_of_answers_are_served_in_turn(world: Outside) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            path = (await read_request(reader)).split(b" ")[1]
            writer.write(ok(path))
        writer.close()

    there = f"{HOST}:{await world.serve(serve)}"
    inside = await world.open(world.gate(there))
    ask = f"GET http://{there}/%d HTTP/1.1\r\nHost: {there}\r\n\r\n"
    inside.send((ask % 1).encode())
    inside.send((ask % 2 + ask % 3).encode())
    assert [(await inside.answer()).body for _ in range(3)] == [b"/1", b"/2", b"/3"]
    await inside.leave()
