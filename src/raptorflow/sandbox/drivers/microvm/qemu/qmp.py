"""A client of QEMU's machine protocol, over a socket that nobody else has."""

import array
import asyncio
import socket
from typing import Any

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.sandbox.errors import SandboxStartFailed

LINE_BYTES = 256 * 1024
AGAIN_SECONDS = 0.01


class Qmp:
    """Asks, and reads the answer; events in between are passed over.

    Args:
        end: our end of the socket, non-blocking.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._asking = asyncio.Lock()
        self._greeted = False

    async def ask(self, command: str, **arguments: Any) -> Any:
        """The answer to a command.

        Raises:
            SandboxStartFailed: QEMU refused, or has ended.
        """
        async with self._asking:
            if not self._greeted:
                await self._line()
                await self._execute("qmp_capabilities", {})
                self._greeted = True
            return await self._execute(command, arguments)

    async def give(self, name: str, descriptor: int) -> None:
        """Hand over an open file under a name.

        Raises:
            SandboxStartFailed: QEMU refused, or has ended.
        """
        await self.ask("query-status")
        async with self._asking:
            words = _request("getfd", {"fdname": name})
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            self._end.sendmsg([words], rights)
            await self._answer("getfd")

    async def until(self, command: str, wanted: set[str], refused: set[str]) -> None:
        """Ask until the answer's status is a wanted one.

        Raises:
            SandboxStartFailed: it is a refused one, or QEMU has ended.
        """
        while (status := (await self.ask(command)).get("status")) not in wanted:
            if status in refused:
                raise SandboxStartFailed(f"QEMU's {command} says {status}.")
            await asyncio.sleep(AGAIN_SECONDS)

    def close(self) -> None:
        """Let go of the socket."""
        self._end.close()

    async def _execute(self, command: str, arguments: JsonObject) -> Any:
        try:
            await self._loop.sock_sendall(self._end, _request(command, arguments))
        except OSError as error:
            raise SandboxStartFailed(f"QEMU has ended ({command}).") from error
        return await self._answer(command)

    async def _answer(self, command: str) -> Any:
        while True:
            answer = loads(await self._line())
            if "error" in answer:
                raise SandboxStartFailed(f"QEMU refused {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    async def _line(self) -> bytes:
        while (at := self._unread.find(b"\n")) < 0:
            try:
                chunk = await self._loop.sock_recv(self._end, LINE_BYTES)
            except OSError:
                chunk = b""
            if not chunk or len(self._unread) > LINE_BYTES:
                raise SandboxStartFailed("QEMU has ended, or says what cannot be read.")
            self._unread += chunk
        line = bytes(self._unread[:at])
        del self._unread[: at + 1]
        return line


def _request(command: str, arguments: JsonObject) -> bytes:
    return dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
