"""A channel over a stream socket: to a child process, to a machine's serial port, or through its vsock."""

import asyncio
import socket
from contextlib import suppress

READ_BYTES = 64 * 1024


class SocketChannel:
    """Bytes over a non-blocking socket, in whichever event loop runs.

    Args:
        end: our end.
        unread: what the guest had written before it was copied, and nobody had read.
    """

    def __init__(self, end: socket.socket, unread: bytes = b"") -> None:
        self._unread = unread
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()

    async def read(self) -> bytes:
        """The next bytes; none when the sandbox has ended."""
        if self._unread:
            first, self._unread = self._unread[:READ_BYTES], self._unread[READ_BYTES:]
            return first
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
        """Let go of it: the agent ends when it notices, and the sandbox with it."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
