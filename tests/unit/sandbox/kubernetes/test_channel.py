"""The channel over an exec stream, whatever the other side sends."""

from collections.abc import Iterable

import pytest

from raptorflow.sandbox.drivers.kubernetes.channel import CHUNK, ExecChannel


class Scripted:
    """A websocket that says these messages and then ends."""

    def __init__(self, messages: Iterable[bytes]) -> None:
        self._messages = list(messages)
        self.sent: list[bytes] = []
        self.closed = 0

    async def receive(self) -> bytes | None:
        return self._messages.pop(0) if self._messages else None

    async def send(self, message: bytes) -> None:
        self.sent.append(message)

    def close(self) -> None:
        self.closed += 1


async def everything(channel: ExecChannel) -> list[bytes]:
    found: list[bytes] = []
    while chunk := await channel.read():
        found.append(chunk)
    return found


async def test_only_standard_output_is_the_agents_word() -> None:
    messages = [
        b"\x01",
        b"",
        b"\x01ab",
        b"\x02warning",
        b"\x04{}",
        b"\xff\x01",
        b"\x01c",
        b"\x03{}",
        b"\x01d",
    ]
    socket = Scripted(messages)
    assert await everything(ExecChannel(socket, "x")) == [b"ab", b"c", b"d"]
    assert socket.closed == 1


async def test_a_large_message_is_handed_out_in_pieces() -> None:
    large = bytes(range(256)) * 1000
    found = await everything(ExecChannel(Scripted([b"\x01" + large]), "x"))
    assert max(map(len, found)) == CHUNK
    assert b"".join(found) == large


async def test_a_flood_of_errors_is_not_kept() -> None:
    channel = ExecChannel(Scripted([b"\x02" + b"x" * 100_000] * 50), "x")
    assert await everything(channel) == []
    assert len(vars(channel)["_said"]) <= 500


async def test_what_is_written_goes_to_standard_input_in_pieces() -> None:
    socket = Scripted([])
    await ExecChannel(socket, "x").write(b"y" * (CHUNK + 1))
    assert [message[:1] for message in socket.sent] == [b"\x00", b"\x00"]
    assert b"".join(message[1:] for message in socket.sent) == b"y" * (CHUNK + 1)


async def test_an_ended_channel_cannot_be_written_to() -> None:
    channel = ExecChannel(Scripted([]), "x")
    assert await channel.read() == b""
    assert await channel.read() == b""
    with pytest.raises(ConnectionError):
        await channel.write(b"late")
