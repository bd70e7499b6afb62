"""A way out that a program inside has asked for: two directions of bytes over the channel."""

import asyncio
from collections.abc import Awaitable, Callable

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.errors import SandboxGone

Send = Callable[[int, int, bytes], Awaitable[None]]
READ_BYTES = wire.MAX_PAYLOAD
# Granted in parts of this size: fewer frames, and the guest has more left all the time.
GRANT_BYTES = wire.CREDIT_BYTES // 4


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
        # One buffer: a guest may send its bytes one by one, and each would weigh like forty.
        self._came = bytearray()
        self._granted = wire.CREDIT_BYTES
        self._owed = 0
        self._changed = asyncio.Event()
        self._credit = wire.CREDIT_BYTES
        self._ended = self._closed = self._done = self._over = False

    async def read(self) -> bytes:
        """The next bytes, 64 KiB at most; none at the end of this direction.

        Raises:
            ConnectionError: the program has closed it, or the sandbox is gone.
        """
        # What was given out before is granted anew now, so nothing is lost when this call is cancelled.
        await self._grant()
        while not self._came:
            if self._ended:
                return b""
            if self._closed:
                raise ConnectionResetError("the program inside has closed the connection")
            await self._wait()
        chunk = bytes(memoryview(self._came)[:READ_BYTES])
        del self._came[: len(chunk)]
        self._owed += len(chunk)
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
        """No more is written.

        Raises:
            ConnectionError: the sandbox is gone.
        """
        if not self._done and not self._closed:
            self._done = True
            await self._sent(wire.DATA, b"")

    def close(self) -> None:
        """Give up both directions."""
        self._closed = True
        self._changed.set()

    async def finish(self) -> None:
        """Tell the guest that it is over, unless the guest has said so."""
        self.close()
        if self._over:
            return
        try:
            await self._send(wire.CLOSE, self._stream, b"")
        except SandboxGone:
            return

    def take(self, kind: int, payload: bytes) -> None:
        """A frame of the guest's.

        Raises:
            WireError: it sends more than was granted, or what no connection sends.
        """
        if self._over:
            raise wire.WireError("a frame on a connection that is over")
        if kind == wire.DATA:
            self._take_data(payload)
        elif kind == wire.CREDIT:
            self._credit += wire.granted(payload)
            if self._credit > wire.CREDIT_BYTES:
                raise wire.WireError("more credit than there can be")
        elif kind == wire.CLOSE:
            self._closed = self._over = True
        else:
            raise wire.WireError(f"a frame of kind {kind} on a connection")
        self._changed.set()

    def lost(self) -> None:
        """The sandbox is gone."""
        self.close()

    def _take_data(self, payload: bytes) -> None:
        self._granted -= len(payload)
        if self._granted < 0 or self._ended:
            raise wire.WireError("more bytes than were granted")
        self._ended = not payload
        self._came += payload

    async def _grant(self) -> None:
        if self._owed < GRANT_BYTES or self._ended or self._closed:
            return
        count, self._owed = self._owed, 0
        self._granted += count
        await self._sent(wire.CREDIT, wire.packed([b"%d" % count]))

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _sent(self, kind: int, payload: bytes) -> None:
        try:
            await self._send(kind, self._stream, payload)
        except SandboxGone as error:
            raise ConnectionResetError("the sandbox is gone") from error
