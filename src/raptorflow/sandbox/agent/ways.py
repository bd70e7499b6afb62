"""A way out that a program inside has asked for: two directions of bytes over the channel."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.errors import SandboxGone

Send = Callable[[int, int, bytes], Awaitable[None]]


class Way:
    """One connection of a program inside to the broker.

    What is not read is not sent either: each side grants the other how much may be under way.

    Args:
        stream: its number.
        send: sends a frame.
    """

    def __init__(self, stream: int, send: Send) -> None:
        self._stream = stream
        self._send = send
        self._came: deque[bytes] = deque()
        self._unread = 0
        self._changed = asyncio.Event()
        self._credit = wire.CREDIT_BYTES
        self._ended = self._closed = self._done = False

    async def read(self) -> bytes:
        """The next bytes, 64 KiB at most; none at the end of this direction.

        Raises:
            ConnectionError: the program has closed it, or the sandbox is gone.
        """
        while not self._came:
            if self._ended:
                return b""
            if self._closed:
                raise ConnectionResetError("the program inside has closed the connection")
            await self._wait()
        chunk = self._came.popleft()
        self._unread -= len(chunk)
        await self._sent(wire.CREDIT, wire.packed([b"%d" % len(chunk)]))
        return chunk

    async def write(self, data: bytes) -> None:
        """Send bytes; waits while the program does not read.

        Raises:
            ConnectionError: the program has closed it, or the sandbox is gone.
        """
        view = memoryview(data)
        while view:
            while self._credit <= 0 and not self._closed:
                await self._wait()
            if self._closed:
                raise ConnectionResetError("the program inside has closed the connection")
            part = view[: min(self._credit, wire.MAX_PAYLOAD)]
            self._credit -= len(part)
            view = view[len(part) :]
            await self._sent(wire.DATA, bytes(part))

    async def end(self) -> None:
        """No more is written."""
        if not self._done and not self._closed:
            self._done = True
            await self._sent(wire.DATA, b"")

    def close(self) -> None:
        """Give up both directions."""
        self._closed = True
        self._changed.set()

    async def finish(self) -> None:
        """Tell the guest that it is over."""
        self.close()
        try:
            await self._send(wire.CLOSE, self._stream, b"")
        except SandboxGone:
            return

    async def refuse(self) -> None:
        """Close it at once."""
        await self.finish()

    def take(self, kind: int, payload: bytes) -> None:
        """A frame of the guest's.

        Raises:
            WireError: it sends more than was granted, or what no connection sends.
        """
        if kind == wire.DATA:
            self._unread += len(payload)
            if self._unread > wire.CREDIT_BYTES or self._ended:
                raise wire.WireError("more bytes than were granted")
            self._ended = not payload
            if payload:
                self._came.append(payload)
        elif kind == wire.CREDIT:
            self._credit += wire.number(*wire.unpacked(payload, 1))
            if self._credit > wire.CREDIT_BYTES:
                raise wire.WireError("more credit than there can be")
        elif kind == wire.CLOSE:
            self._closed = True
        else:
            raise wire.WireError(f"a frame of kind {kind} on a connection")
        self._changed.set()

    def lost(self) -> None:
        """The sandbox is gone."""
        self.close()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _sent(self, kind: int, payload: bytes) -> None:
        try:
            await self._send(kind, self._stream, payload)
        except SandboxGone as error:
            raise ConnectionResetError("the sandbox is gone") from error
