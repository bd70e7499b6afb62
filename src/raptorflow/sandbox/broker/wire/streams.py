"""Streams made of other things."""

import asyncio
from collections.abc import Callable

from raptorflow.sandbox.broker.ports import Stream

CHUNK_BYTES = 64 * 1024
LINGER_SECONDS = 5.0
"""How long what was written last may take to leave after the end."""


class SocketStream:
    """A socket as a stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """The next bytes; nothing at the end."""
        return await self._reader.read(CHUNK_BYTES)

    async def write(self, data: bytes) -> None:
        """Send; waits while too much is on its way."""
        self._writer.write(data)
        await self._writer.drain()

    async def end(self) -> None:
        """Close our direction."""
        if not self._writer.is_closing() and self._writer.can_write_eof():
            self._writer.write_eof()

    def close(self) -> None:
        """Close both; who does not take the rest in time does not get it."""
        if not self._writer.is_closing():
            self._writer.close()
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._writer.transport.abort)


class Reread:
    """A stream whose first bytes have been looked at already."""

    def __init__(self, first: bytes, stream: Stream) -> None:
        self._first = first
        self._stream = stream
        self.write, self.end, self.close = stream.write, stream.end, stream.close

    async def read(self) -> bytes:
        """What was looked at, then what follows."""
        first, self._first = self._first, b""
        return first or await self._stream.read()


class Counted:
    """A stream that tells how much passes through it.

    Args:
        stream: the sandbox's.
        up: told the number of bytes that came from the sandbox; what it raises ends the connection.
        down: the same for bytes to it, before they are sent.
    """

    def __init__(self, stream: Stream, up: Callable[[int], None], down: Callable[[int], None]) -> None:
        self._stream = stream
        self._up = up
        self._down = down
        self.end, self.close = stream.end, stream.close

    async def read(self) -> bytes:
        """The next bytes, counted."""
        data = await self._stream.read()
        self._up(len(data))
        return data

    async def write(self, data: bytes) -> None:
        """Send, counted."""
        self._down(len(data))
        await self._stream.write(data)
