"""A server that keeps saying that a part is away will not be waited for, and the part is named."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from raptorflow.base.json import JsonObject, dumps
from raptorflow.stack import readiness
from raptorflow.stack.address import Address
from raptorflow.stack.errors import ProgramFailed
from raptorflow.stack.readiness import ServerReadiness

PID = 1
AWAY: JsonObject = {
    "status": "unavailable",
    "parts": {
        "database": {"status": "ok"},
        "valkey": {
            "status": "unavailable",
            "code": "valkey-unavailable",
            "problem": "Valkey is away.",
            "hint": "Start it.",
        },
    },
}
Answer = Callable[[bytes], None]


@pytest.fixture
async def server() -> AsyncGenerator[tuple[Address, list[bytes]]]:
    """An address, and the one answer that whoever asks there gets."""
    answer = [b""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer[0])
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield Address(port=listening.sockets[0].getsockname()[1]), answer


def http(status: str, body: JsonObject) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{dumps(body)}".encode()


async def test_ready_when_every_part_answers(server: tuple[Address, list[bytes]]) -> None:
    address, answer = server
    ready = ServerReadiness(address)
    assert not await ready(PID)
    answer[0] = http("200 OK", {"status": "ok", "parts": {}})
    assert await ready(PID)


async def test_a_part_that_stays_away_is_named_with_its_own_code(
    server: tuple[Address, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, answer = server
    answer[0] = http("503 Service Unavailable", AWAY)
    ready = ServerReadiness(address)
    assert not await ready(PID)
    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(ProgramFailed, match="Valkey is away") as caught:
        await ready(PID)
    assert caught.value.problem()["code"] == "valkey-unavailable"
    assert caught.value.hint == "Start it."


@pytest.mark.parametrize(
    "said", [b"", b"nonsense", b"HTTP/1.1 503 x\r\n\r\n<html>", b"HTTP/1.1 500 x\r\n\r\n{}"]
)
async def test_another_answer_is_no_answer(server: tuple[Address, list[bytes]], said: bytes) -> None:
    address, answer = server
    answer[0] = said
    assert not await ServerReadiness(address)(PID)
