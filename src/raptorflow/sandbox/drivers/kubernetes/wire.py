"""How the API server is spoken to, as the driver sees it; `library.py` does it with kubernetes-asyncio."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.errors import SandboxUnavailable

LIBRARY = "raptorflow.sandbox.drivers.kubernetes.library"
Query = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Answer:
    """What came back: status, the seconds of `Retry-After` if it said any, and the body."""

    status: int
    retry_after: float | None
    body: bytes


class Socket(Protocol):
    """A websocket whose messages begin with the number of a channel."""

    async def receive(self) -> bytes | None:
        """The next message; None at the end."""
        ...

    async def send(self, message: bytes) -> None:
        """Send; waits while the other side does not read.

        Raises:
            ConnectionError: it is closed.
        """
        ...

    def close(self) -> None:
        """Say goodbye, in the background."""
        ...


class Link(Protocol):
    """A connection to one API server, with this program's identity.

    Each method raises `ConnectionError` when there is no answer, or none in time.
    """

    async def request(
        self, method: str, path: str, query: Query, body: JsonObject | None, seconds: float
    ) -> Answer:
        """One request; PATCH bodies are merge patches (RFC 7386)."""
        ...

    def stream(
        self, path: str, query: Query, quiet_seconds: float
    ) -> AbstractAsyncContextManager["Answer | AsyncIterator[bytes]"]:
        """The lines of an answer as they come; the answer itself when its status is not 200."""
        ...

    async def socket(self, path: str, query: Query, seconds: float) -> "Socket | Answer":
        """A websocket; the answer itself when the server refuses to open one."""
        ...

    async def renew(self) -> None:
        """Read this program's credentials anew: tokens expire."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


async def connect(settings: KubernetesSettings) -> Link:
    """A connection with the kubeconfig of the settings, or else this pod's service account.

    Raises:
        SandboxUnavailable: the library is not installed, or the configuration cannot be read.
    """
    try:
        # It takes seconds to import, and sandboxes of other drivers may be running meanwhile.
        library = await asyncio.to_thread(import_module, LIBRARY)
    except ModuleNotFoundError as error:
        raise SandboxUnavailable(
            "The Kubernetes driver needs kubernetes-asyncio, which is not installed.",
            hint="pip install 'raptorflow[kubernetes]'",
        ) from error
    link: Link = await library.open_link(settings)
    return link
