"""A guest of a sandbox whose every word a test chooses, and the host's link to it."""

import asyncio
import socket

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.channel import SocketChannel

BORN = wire.frame(wire.BORN, 0, wire.packed([wire.VERSION]))


class Guest:
    """A guest that says what a test wants it to say."""

    def __init__(self) -> None:
        here, self.socket = socket.socketpair()
        here.setblocking(False)
        self.socket.setblocking(False)
        self.link = Link(SocketChannel(here))
        self._here = here
        self._reader = wire.Reader()
        self._came: list[wire.Frame] = []

    async def say(self, *frames: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, b"".join(frames))

    async def hear(self) -> wire.Frame:
        while not self._came:
            chunk = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
            if not chunk:
                raise EOFError
            self._came += self._reader.feed(chunk)
        return self._came.pop(0)

    async def hears_the_end(self) -> bool:
        """Whether the host lets go of the channel."""
        try:
            while True:
                await self.hear()
        except EOFError:
            return True

    async def meet(self) -> None:
        """Behave, up to the greeting."""
        opening = asyncio.create_task(self.link.open())
        await self.say(BORN)
        _, _, payload = await self.hear()
        await self.say(wire.frame(wire.READY, 0, wire.packed([*wire.unpacked(payload), b"7"])))
        await opening

    async def close(self) -> None:
        await self.link.close()
        self._here.close()
        self.socket.close()
