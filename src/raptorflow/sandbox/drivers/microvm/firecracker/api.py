"""Firecracker's API on its UNIX socket (its `firecracker.yaml` describes every request)."""

from pathlib import Path

import httpx

from raptorflow.base.json import Json
from raptorflow.sandbox.errors import SandboxStartFailed

SOCKET = "api.socket"
# Writing a snapshot answers only when all of the memory is written.
ANSWER_SECONDS = 60.0
SAID_CHARACTERS = 400


class Api:
    """Requests to one Firecracker.

    Args:
        folder: a descriptor of the folder that the socket is in; the path to it may be longer than a socket's
            address can be.
    """

    def __init__(self, folder: int) -> None:
        self._path = Path(f"/proc/self/fd/{folder}/{SOCKET}")
        transport = httpx.AsyncHTTPTransport(uds=str(self._path))
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url="http://firecracker.invalid",
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    async def put(self, path: str, **values: Json) -> None:
        """Set something up, or have something done.

        Raises:
            SandboxStartFailed: it was refused, or nobody answers.
        """
        await self._send("PUT", path, values)

    async def patch(self, path: str, **values: Json) -> None:
        """Change something.

        Raises:
            SandboxStartFailed: it was refused, or nobody answers.
        """
        await self._send("PATCH", path, values)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def answers(self) -> bool:
        """Whether it is up."""
        try:
            return (await self._client.get("/version")).is_success
        except httpx.TransportError:
            return False

    async def _send(self, method: str, path: str, values: dict[str, Json]) -> None:
        try:
            answer = await self._client.request(method, path, json=values)
        except httpx.TransportError as error:
            raise SandboxStartFailed(f"Firecracker does not answer ({method} {path}): {error!r}") from error
        if not answer.is_success:
            said = answer.text[:SAID_CHARACTERS]
            raise SandboxStartFailed(f"Firecracker refused {method} {path} ({answer.status_code}): {said}")
