"""The channel of a local sandbox: one end of a pair of sockets."""

import asyncio
import socket
from contextlib import suppress

READ_BYTES = 64 * 1024


class SocketChannel:
    """Bytes over a non-blocking socket, in whichever event loop runs.

    Args:
        end: our end.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()

    async def read(self) -> bytes:
        """The next bytes; none when the sandbox has ended."""
        try:
            return await self._loop.sock_recv(self._end, READ_BYTES)
        except ConnectionResetError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send; waits while the guest does not read.

        Raises:
            ConnectionError: the sandbox has ended.
        """
        async with self._writing:
            await self._loop.sock_sendall(self._end, data)

    def close(self) -> None:
        """Let go of it. The socket itself is the sandbox's, and closed with it."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
