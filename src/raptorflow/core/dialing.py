"""How places that somebody else names are reached: at addresses that are allowed, and no others.

The name is looked up once for each new connection, every address it leads to is judged, and what was judged
is what is dialled: a name that leads elsewhere a moment later leads nowhere. The address is dialled as it
is, without a proxy, because a proxy would look the name up again.
"""

import asyncio
import socket
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, cast

import httpcore2
import httpx2

from raptorflow.core.addresses import Address, may_dial

Resolve = Callable[[str, int], Awaitable[list[Address]]]
Refusal = Callable[[str], Exception]
MOST_BYTES = 64 * 1024 * 1024
"""Of one answer: the server is not ours, and the worker's memory is everybody's."""
CONNECTIONS, KEPT, KEPT_SECONDS = 1000, 100, 60.0


async def look_up(host: str, port: int) -> list[Address]:
    """Every address of a name, the preferred one first.

    Raises:
        OSError: the name is not known.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(place[0]) for *_, place in found]


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections to addresses that are allowed.

    Args:
        local: whether this machine and private networks are.
        refusal: makes the error for a name that leads elsewhere.
        resolve: looks names up.
    """

    def __init__(self, *, local: bool, refusal: Refusal, resolve: Resolve = look_up) -> None:
        self._local = local
        self._refusal = refusal
        self._resolve = resolve
        self._dial = cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())

    async def connect_tcp(
        self, host: str, port: int, *more: Any, **options: Any
    ) -> httpcore2.AsyncNetworkStream:
        """Dial the first address that answers; `more` and `options` are the interface's.

        Raises:
            Exception: the name leads to an address that is not allowed; `refusal` makes it.
            ConnectError: the name is not known, or nothing answers.
        """
        failure: Exception = httpcore2.ConnectError(f"The name {host} leads nowhere.")
        for address in await self._allowed(host, port):
            try:
                return await self._dial.connect_tcp(str(address), port, *more, **options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _allowed(self, host: str, port: int) -> list[Address]:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"The name {host} is not known.") from error
        # One that is not allowed condemns all: an honest name does not lead to both.
        if not all(may_dial(address, local=self._local) for address in addresses):
            raise self._refusal(host)
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """HTTP over a network that is guarded; its connections are shared.

    Args:
        network: opens the connections.
    """

    def __init__(self, network: httpcore2.AsyncNetworkBackend) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; the body of the answer is read as it comes, up to a limit."""
        url = request.url
        with _translated():
            answer = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._stream = cast(AsyncIterable[bytes], answer.stream)
        self._size = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # Begun again by providers' libraries, which read what is left so that the connection can be kept.
        with _translated():
            async for piece in self._stream:
                self._size += len(piece)
                if self._size > MOST_BYTES:
                    raise httpx2.ReadError(f"The answer has more than {MOST_BYTES:,} bytes.")
                yield piece

    async def aclose(self) -> None:
        with _translated():
            await self._answer.aclose()


@contextmanager
def _translated() -> Generator[None]:
    """Errors as the callers of httpx know them."""
    try:
        yield
    except httpcore2.ConnectTimeout as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except httpcore2.ConnectError as error:
        raise httpx2.ConnectError(str(error)) from error
    except httpcore2.NetworkError as error:
        raise httpx2.ReadError(str(error)) from error
    except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
        raise httpx2.RemoteProtocolError(str(error)) from error
