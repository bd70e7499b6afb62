"""Requests and answers, blocking and not; what both do alike is written once, in plain functions."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from raptorflow_sdk.connection import Connection
from raptorflow_sdk.errors import RequestRefused, ServerUnreachable

Answer = TypeVar("Answer")
SECONDS = 60.0
TRIES = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
# Asked again, these change nothing that they have not changed before (RFC 9110, 9.2.2).
IDEMPOTENT = {"GET", "PUT", "DELETE"}
BUSY = {429, 502, 503, 504}
KEY = "idempotency-key"


@dataclass(frozen=True)
class Request:
    """One call of an operation.

    Attributes:
        template: the path, with `{names}`.
        path: their values.
        body: a model, sent as JSON, or bytes.
    """

    method: str
    template: str
    path: Mapping[str, object] = field(default_factory=dict[str, object])
    query: Mapping[str, object] = field(default_factory=dict[str, object])
    header: Mapping[str, object] = field(default_factory=dict[str, object])
    body: BaseModel | bytes | None = None

    def options(self) -> dict[str, Any]:
        """As httpx takes it."""
        # A file's path keeps its slashes, anything else is one part.
        filled = {name: quote(str(value), safe="/" * (name == "path")) for name, value in self.path.items()}
        body, kind = self._encoded()
        headers = {name: str(value) for name, value in self.header.items() if value is not None}
        return {
            "method": self.method,
            "url": self.template.format(**filled),
            "params": {name: _text(value) for name, value in self.query.items() if value is not None},
            "headers": headers | ({"content-type": kind} if kind else {}),
            "content": body,
        }

    def may_be_repeated(self) -> bool:
        """Whether the server does it once, however often it is asked."""
        return self.method in IDEMPOTENT or self.header.get(KEY) is not None

    def _encoded(self) -> tuple[bytes | None, str | None]:
        if isinstance(self.body, BaseModel):
            return self.body.model_dump_json(exclude_unset=True).encode(), "application/json"
        return self.body, "application/octet-stream" if self.body is not None else None


class Tries:
    """How often one request is sent again, and after which pauses in seconds."""

    def __init__(self, request: Request) -> None:
        self._left = TRIES - 1 if request.may_be_repeated() else 0
        self._pause = FIRST_PAUSE

    def after_silence(self, error: ServerUnreachable) -> float:
        """The pause after no answer came; raises the error when it was the last try."""
        if not self._left:
            raise error
        return self._next()

    def after(self, response: httpx.Response) -> float | None:
        """The pause after an answer that asks for one; None when the answer stands."""
        if response.status_code not in BUSY or not self._left:
            return None
        asked = response.headers.get("retry-after", "")
        return min(max(self._next(), float(asked) if asked.isdigit() else 0.0), LONGEST_PAUSE)

    def _next(self) -> float:
        self._left -= 1
        pause, self._pause = self._pause, self._pause * 2
        return pause


class Transport:
    """A blocking connection to a server."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self.http = httpx.Client(**_options_of(connection))

    def call(self, request: Request, answer: type[Answer]) -> Answer:
        """Send a request; its answer as the given type.

        Raises:
            RequestRefused: the server answered with a problem.
            ServerUnreachable: it did not answer.
        """
        tries = Tries(request)
        while True:
            try:
                response = self.http.request(**request.options())
            except httpx.HTTPError as error:
                wait = tries.after_silence(unreachable(self.url, error))
            else:
                wait = tries.after(response)
                if wait is None:
                    return decoded(response, answer)
            time.sleep(wait)


class AsyncTransport:
    """A connection to a server that does not block."""

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self.http = httpx.AsyncClient(**_options_of(connection))

    async def call(self, request: Request, answer: type[Answer]) -> Answer:
        """As `Transport.call`."""
        tries = Tries(request)
        while True:
            try:
                response = await self.http.request(**request.options())
            except httpx.HTTPError as error:
                wait = tries.after_silence(unreachable(self.url, error))
            else:
                wait = tries.after(response)
                if wait is None:
                    return decoded(response, answer)
            await asyncio.sleep(wait)


def decoded(response: httpx.Response, answer: type[Answer]) -> Answer:
    """The body as the given type.

    Raises:
        RequestRefused: it is a problem.
    """
    if response.is_error:
        raise refusal(response)
    if answer is bytes:
        return cast("Answer", response.content)
    return _reader(answer).validate_json(response.content or b"null")


def refusal(response: httpx.Response) -> RequestRefused:
    """The problem that a server answered with, whatever it wrote."""
    try:
        problem: Any = json.loads(response.content)
    except ValueError:
        problem = {}
    known = cast("dict[str, Any]", problem) if isinstance(problem, dict) else {}
    return RequestRefused(known, response.status_code)


def unreachable(url: str, error: httpx.HTTPError) -> ServerUnreachable:
    """No answer came."""
    return ServerUnreachable(f"{url} does not answer: {error!r}.", "Is it running, and is the URL right?")


@cache
def _reader(answer: type[Answer]) -> TypeAdapter[Answer]:
    return TypeAdapter(answer)


def _options_of(connection: Connection) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {connection.token}"}
    return {"base_url": connection.url, "headers": headers, "timeout": SECONDS}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
