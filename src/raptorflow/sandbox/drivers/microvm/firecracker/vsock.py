"""The host's way to a port inside: a word on Firecracker's UNIX socket, and then it is the connection.

(Firecracker: `docs/vsock.md`, host-initiated connections.)
"""

import asyncio
import socket

from raptorflow.sandbox.channel import SocketChannel
from raptorflow.sandbox.errors import SandboxGone

SOCKET = "vsock.socket"
AGAIN_SECONDS = 0.02
LINE_BYTES = 64


async def connect(folder: int, port: int, seconds: float) -> SocketChannel:
    """Connect to a port of the guest, as soon as something listens there.

    Args:
        folder: a descriptor of the folder that the socket is in.
        port: the guest's.
        seconds: how long to try.

    Raises:
        SandboxGone: nobody listens in time, or the machine has ended.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                if end := await _try(folder, port):
                    return SocketChannel(end)
                await asyncio.sleep(AGAIN_SECONDS)
    except TimeoutError as error:
        raise SandboxGone(f"Nothing in the machine listens on port {port}.") from error
    except OSError as error:
        raise SandboxGone("The machine has ended.") from error


async def _try(folder: int, port: int) -> socket.socket | None:
    """A connection; None when nothing listens yet: Firecracker then closes without an answer."""
    loop = asyncio.get_running_loop()
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    end.setblocking(False)
    try:
        await loop.sock_connect(end, f"/proc/self/fd/{folder}/{SOCKET}")
        await loop.sock_sendall(end, f"CONNECT {port}\n".encode("ascii"))
        if (await _line(loop, end)).startswith(b"OK "):
            return end
    except ConnectionResetError:
        pass
    except BaseException:
        end.close()
        raise
    end.close()
    return None


async def _line(loop: asyncio.AbstractEventLoop, end: socket.socket) -> bytes:
    """One line, byte by byte: what follows it is the agent's."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LINE_BYTES:
        if not (byte := await loop.sock_recv(end, 1)):
            break
        line += byte
    return line
