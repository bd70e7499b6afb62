"""The API as the command line uses it: HTTP for requests, a WebSocket for a turn's events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from raptorflow.base.errors import PartUnavailable, RaptorFlowError, TooLarge
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.cli.connection import Connection

ANSWER_SECONDS = 60.0
MAX_EVENT_BYTES = 16 * 1024 * 1024
UPLOAD_CHUNK = 256 * 1024
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_FILE_BYTES = 1024 * 1024 * 1024


class ServerRefused(RaptorFlowError):
    """The server answered with a problem; its code, sentence and hint are shown as they are."""

    def __init__(self, problem: JsonObject) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title")), hint=problem.get("hint"))
        self._problem = problem

    def problem(self, instance: str | None = None) -> JsonObject:
        """The server's own problem document."""
        return self._problem


class ServerUnreachable(PartUnavailable):
    """No answer came."""

    code = "server-unreachable"
    default_hint = "Is it running? Start it with `make run`, or check RAPTORFLOW_URL."


class AnswerTooLarge(TooLarge):
    """A server sends more than it should."""

    code = "answer-too-large"
    default_hint = "Tell whoever runs the server."


class AnswerUnreadable(PartUnavailable):
    """Something else than RaptorFlow answers."""

    code = "answer-unreadable"
    default_hint = "Check RAPTORFLOW_URL; a sign-in page or a proxy may stand before the server."


class ApiClient:
    """One authenticated connection; use it as an async context manager."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {connection.token.get_secret_value()}"}
        self._http = httpx.AsyncClient(base_url=connection.url, headers=self._headers, timeout=ANSWER_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._http.aclose()

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return its JSON answer.

        Raises:
            ServerRefused: the server answered with a problem.
            ServerUnreachable: it did not answer.
            AnswerTooLarge: it sends without end.
            AnswerUnreadable: it answers with something else than JSON.
        """
        content = await self._answer(method, path, MAX_ANSWER_BYTES, **options)
        try:
            return loads(content) if content else None
        except ValueError as error:
            raise self.unreadable(path) from error

    def unreadable(self, path: str) -> "AnswerUnreadable":
        """The error for an answer of another shape than ours: something else may stand at the address."""
        return AnswerUnreadable(f"{self._connection.url} does not answer {path} as a RaptorFlow does.")

    async def upload(self, path: Path, size: int, report: Callable[[int], None]) -> JsonObject:
        """Upload a file of `size` bytes for the next message; returns its record (`id`, `name`, `size`).

        `report` is told now and then how many bytes have been sent.
        """
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        return await self.request(
            "POST",
            "/api/v1/orchestrator/files",
            params={"name": path.name},
            content=_chunks(path, report),
            headers=headers,
        )

    async def download(self, path: str, most: int = MAX_FILE_BYTES) -> bytes:
        """A file's bytes.

        Raises:
            ServerRefused: the server answered with a problem.
            ServerUnreachable: it did not answer.
            AnswerTooLarge: there are more than `most`.
        """
        return await self._answer("GET", path, most)

    async def _answer(self, method: str, path: str, most: int, **options: Any) -> bytes:
        content = bytearray()
        try:
            async with self._http.stream(method, path, **options) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > most:
                        raise AnswerTooLarge(f"{path} of {self._connection.url} has over {most} bytes.")
        except httpx.HTTPError as error:
            raise ServerUnreachable(f"{self._connection.url} does not answer: {error!r}") from error
        if response.is_redirect:
            raise self.unreadable(path)
        if response.is_error:
            raise ServerRefused(_problem_of(response.status_code, bytes(content)))
        return bytes(content)

    @asynccontextmanager
    async def events(self, session_id: str) -> AsyncGenerator["EventStream"]:
        """A session's live stream.

        Raises:
            ServerUnreachable: the WebSocket could not be opened or broke.
        """
        url = f"ws{self._connection.url.removeprefix('http')}/ws/sessions/{session_id}"
        try:
            async with connect(url, additional_headers=self._headers, max_size=MAX_EVENT_BYTES) as socket:
                yield EventStream(socket)
        except (WebSocketException, OSError) as error:
            raise ServerUnreachable(f"The stream of {self._connection.url} broke: {error!r}") from error


class EventStream:
    """A session's WebSocket: send commands, iterate over events."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def send(self, command: JsonObject) -> None:
        """Send one command."""
        await self._socket.send(dumps(command))

    async def __aiter__(self) -> AsyncIterator[JsonObject]:
        async for frame in self._socket:
            yield loads(frame)


async def _chunks(path: Path, report: Callable[[int], None]) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(UPLOAD_CHUNK):
            yield chunk
            report(file.tell())


def _problem_of(status: int, content: bytes) -> JsonObject:
    """The problem that the server told; one of the same shape when something else answered."""
    known = {"title": f"HTTP {status}", "status": status, "code": "server-refused"}
    try:
        problem: JsonObject = loads(content)
        return {**known, **problem}
    except (ValueError, TypeError):
        return {**known, "detail": f"The server said {status}."}
