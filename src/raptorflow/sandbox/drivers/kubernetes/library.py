"""The one module that imports kubernetes-asyncio, for configuration, credentials, TLS and connections.

Objects stay JSON: the library's models know nothing of custom resources, and the schemas are what is tested.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes_asyncio import client, config

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.kubernetes.wire import Answer, Link, Query, Socket
from raptorflow.sandbox.errors import SandboxUnavailable

TOKEN = ["BearerToken"]
MERGE_PATCH = "application/merge-patch+json"
# v5 can close one direction; an older API server takes v4.
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
GOODBYE_SECONDS = 1.0
# Load balancers forget connections on which nothing happens, and a sandbox may wait long for its turn.
HEARTBEAT_SECONDS = 45.0
MAX_MESSAGE = 1024 * 1024
BROKEN = (aiohttp.ClientError, TimeoutError, OSError)


async def open_link(settings: KubernetesSettings) -> Link:
    """A connection with the credentials that the settings name.

    Raises:
        SandboxUnavailable: they cannot be read.
    """
    configuration: Any = client.Configuration()
    # One connection stays open for each sandbox.
    configuration.connection_pool_maxsize = 0
    link = LibraryLink(settings, configuration)
    await link.renew()
    link.start()
    return link


class LibraryLink:
    """The API server through kubernetes-asyncio's client."""

    def __init__(self, settings: KubernetesSettings, configuration: Any) -> None:
        self._settings = settings
        self._configuration = configuration
        self._api: Any = None

    def start(self) -> None:
        """Make the client, which reads certificates from the configuration."""
        self._api = client.ApiClient(self._configuration)

    async def renew(self) -> None:
        """Read the credentials."""
        given = self._settings
        loaded: Any = config
        try:
            if given.kubeconfig:
                await loaded.load_kube_config(
                    str(given.kubeconfig), given.context, self._configuration, persist_config=False
                )
            else:
                loaded.load_incluster_config(self._configuration)
        except (config.ConfigException, OSError) as error:
            raise SandboxUnavailable(
                f"The cluster's configuration cannot be read: {error}.",
                hint="Set RAPTORFLOW_SANDBOX__KUBERNETES__KUBECONFIG, or run inside the cluster.",
            ) from error

    async def request(
        self, method: str, path: str, query: Query, body: JsonObject | None, seconds: float
    ) -> Answer:
        """One request."""
        try:
            response = await self._call(method, path, query, body, aiohttp.ClientTimeout(total=seconds))
            return await _answer(response)
        except BROKEN as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def stream(
        self, path: str, query: Query, quiet_seconds: float
    ) -> AsyncGenerator[Answer | AsyncIterator[bytes]]:
        """Lines as they come."""
        within = aiohttp.ClientTimeout(sock_connect=quiet_seconds, sock_read=quiet_seconds)
        try:
            response = await self._call("GET", path, query, None, within)
        except BROKEN as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        try:
            yield _lines(response) if response.status == 200 else await _answer(response)
        finally:
            response.close()

    async def socket(self, path: str, query: Query, seconds: float) -> Socket | Answer:
        """A websocket, with the same credentials as a request."""
        headers: dict[str, str] = {}
        await self._api.update_params_for_auth(headers, [], TOKEN)
        rest = self._api.rest_client
        timeouts: Any = aiohttp.ClientWSTimeout
        goodbye = timeouts(ws_close=GOODBYE_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                opened = await rest.pool_manager.ws_connect(
                    f"{self._configuration.host}{path}",
                    params=_pairs(query),
                    headers=headers,
                    protocols=PROTOCOLS,
                    proxy=rest.proxy,
                    proxy_headers=rest.proxy_headers,
                    server_hostname=rest.server_hostname,
                    timeout=goodbye,
                    heartbeat=HEARTBEAT_SECONDS,
                    max_msg_size=MAX_MESSAGE,
                )
        except aiohttp.WSServerHandshakeError as error:
            return Answer(error.status, None, error.message.encode())
        except BROKEN as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        return LibrarySocket(opened)

    async def close(self) -> None:
        """Close the client."""
        await self._api.close()

    async def _call(
        self, method: str, path: str, query: Query, body: JsonObject | None, within: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        return await self._api.call_api(
            path,
            method,
            query_params=_pairs(query),
            header_params={"Accept": "application/json"}
            | ({"Content-Type": MERGE_PATCH} if method == "PATCH" else {}),
            body=body,
            auth_settings=TOKEN,
            _preload_content=False,
            _request_timeout=within,
        )


class LibrarySocket:
    """A websocket of aiohttp."""

    def __init__(self, opened: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._opened = opened
        self._goodbye: asyncio.Task[bool] | None = None

    async def receive(self) -> bytes | None:
        """The next message."""
        message = await self._opened.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return message.data
        return message.data.encode() if message.type is aiohttp.WSMsgType.TEXT else None

    async def send(self, message: bytes) -> None:
        """Send."""
        try:
            await self._opened.send_bytes(message)
        except BROKEN as error:
            raise ConnectionError(f"The channel is closed: {error}") from error

    def close(self) -> None:
        """Say goodbye once."""
        if self._goodbye is None:
            self._goodbye = asyncio.get_running_loop().create_task(self._opened.close())


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    wait = response.headers.get("Retry-After", "")
    return Answer(response.status, float(wait) if wait.isdigit() else None, await response.read())


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines; a stream that breaks ends with `ConnectionError`."""
    try:
        async for line in response.content:
            yield line
    except (*BROKEN, ValueError) as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error


def _pairs(query: Query) -> list[tuple[str, str]]:
    """Query parameters; one with many values is repeated."""
    return [
        (name, value)
        for name, values in query.items()
        for value in ((values,) if isinstance(values, str) else values)
    ]
