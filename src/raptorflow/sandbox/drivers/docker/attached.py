"""A container's standard input and output as a channel.

The engine's answer to an attach is not HTTP any more but the two directions of one connection: what is
written goes to the standard input as it is; what is read are messages with an 8-byte header that says which
stream they are of. https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerAttach
"""

import asyncio
import struct
from pathlib import Path

from raptorflow.sandbox.drivers.docker.engine import EngineFailed, EngineGone, NotThere

HEADER = struct.Struct(">BxxxL")
STDOUT = 1
MOST = 64 * 1024
KEPT = 2048
UPGRADED = 101
NOT_FOUND = 404
REQUEST = (
    "POST /containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
    "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
)


class Attached:
    """The channel to the first process of a container.

    What that process writes to its standard error is no part of the channel; its end is kept, for a message
    when it does not start.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stream = STDOUT
        self._left = 0
        self._errors = b""

    @property
    def complaint(self) -> str:
        """The last that came on standard error."""
        return self._errors.decode(errors="replace").strip()

    async def read(self) -> bytes:
        """The next bytes of standard output, 64 KiB at most; nothing when the container has ended."""
        try:
            while True:
                if not self._left:
                    self._stream, self._left = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                    continue
                data = await self._reader.read(min(self._left, MOST))
                self._left -= len(data)
                if self._stream == STDOUT or not data:
                    return data
                self._errors = (self._errors + data)[-KEPT:]
        except (asyncio.IncompleteReadError, OSError):
            return b""

    async def write(self, data: bytes) -> None:
        """Send to standard input; waits while the container does not read.

        Raises:
            ConnectionError: the container has ended.
        """
        if self._writer.is_closing() or self._reader.at_eof():
            raise ConnectionResetError("The sandbox has ended.")
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Let go of it; the engine then ends the standard input."""
        self._writer.close()


async def attach(socket: Path, container: str) -> Attached:
    """Take both directions, before or after the container is started.

    Raises:
        NotThere: there is no such container.
        EngineFailed: the engine says no.
        OSError: it cannot be reached.
    """
    reader, writer = await asyncio.open_unix_connection(socket, limit=MOST)
    try:
        writer.write(REQUEST.format(container=container).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        status = int(head.split()[1])
        if status != UPGRADED:
            kind = NotThere if status == NOT_FOUND else EngineFailed
            raise kind(f"The engine answers an attach with {status}.", status)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        writer.close()
        raise EngineGone("The engine ends the connection to a container.") from error
    except BaseException:
        writer.close()
        raise
    return Attached(reader, writer)
