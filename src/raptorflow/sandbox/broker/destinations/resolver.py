"""The system's resolver."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from raptorflow.core.addresses import Address

THREADS = 8


class SystemResolver:
    """Asks the system, on threads of its own: a name server that does not answer holds up nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="broker-names")

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """All addresses of a name, the preferred one first.

        Raises:
            OSError: the name is not known.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(found))


def _look_up(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(place[0]) for *_, place in found]
