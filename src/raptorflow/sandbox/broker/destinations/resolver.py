"""The system's resolver."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from raptorflow.core.addresses import Address

THREADS = 64
"""Many times what one tenant may ask at once (`lookups.AT_ONCE`); each is made only when it is needed."""


class SystemResolver:
    """Asks the system, on threads of its own.

    The system waits long for a name server that does not answer (by default four times 5 s), and cannot be
    stopped: until then each such question holds a thread. So whoever asks must bound how many questions of
    one tenant are open (`LookUps` does); of silent name servers, those of one tenant then hold up no other.
    """

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
