"""The command's streams: fed, read in pieces, and cut off when they pass the limit."""

import asyncio
from contextlib import suppress

CHUNK = 64 * 1024


class Output:
    """Collects stdout and stderr up to a common limit; `full` is set when it is passed."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.full = asyncio.Event()
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.stdout_truncated = False
        self.stderr_truncated = False

    async def read(self, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        """Read both until they end; beyond the limit pieces are dropped, so memory stays bounded."""
        await asyncio.gather(self._drain(stdout, self.stdout), self._drain(stderr, self.stderr))

    async def _drain(self, stream: asyncio.StreamReader, into: bytearray) -> None:
        while chunk := await stream.read(CHUNK):
            taken = chunk[: self._left]
            into += taken
            self._left -= len(taken)
            if len(taken) < len(chunk):
                self.stdout_truncated |= into is self.stdout
                self.stderr_truncated |= into is self.stderr
                self.full.set()


async def feed(stream: asyncio.StreamWriter, content: bytes) -> None:
    """Write the input and close; a command that does not read it is fine."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(content)
        await stream.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.close()
        await stream.wait_closed()
