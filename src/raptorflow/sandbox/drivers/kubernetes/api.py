"""Requests to the API server: answers are objects, errors have a reason, what may pass is tried again."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

from raptorflow.base.json import JsonObject, loads
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.kubernetes.wire import Answer, Link, Query, Socket

log = logger(__name__)

# 429 asks to come back; the others are of the moment (a leader changes, a proxy restarts).
AGAIN = {429, 500, 502, 503, 504}
UNAUTHORIZED, NOT_FOUND, CONFLICT, GONE = 401, 404, 409, 410
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
LONGEST_WISH = 10.0
PAGE = 200
SAID = 500
CHANCE = random.SystemRandom()


class ApiError(Exception):
    """The API server's refusal, or its silence (status 0)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{reason or status}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Api:
    """Requests in one namespace of one cluster.

    Every method raises `ApiError` when the server refuses, or does not answer however often it is asked.

    Args:
        link: the connection.
        settings: the namespace, and how long and how often a request is tried.
    """

    def __init__(self, link: Link, settings: KubernetesSettings) -> None:
        self._link = link
        self._settings = settings

    def place(self, resource: str, name: str = "", group: str = "") -> str:
        """The path of the namespace's resources, or of one; `group` is such as `apps/v1`."""
        root = f"/apis/{group}" if group else "/api/v1"
        path = f"{root}/namespaces/{self._settings.namespace}/{resource}"
        return f"{path}/{name}" if name else path

    async def get(self, path: str, **query: str) -> JsonObject:
        """One object or list."""
        return await self._ask("GET", path, query)

    async def find(self, path: str) -> JsonObject | None:
        """One object, or None when it does not exist."""
        try:
            return await self.get(path)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """Make an object, as the server then has it.

        A request whose answer was lost is sent again, so a conflict may be with our own first try.
        """
        return await self._ask("POST", path, {}, body)

    async def patch(self, path: str, body: JsonObject) -> JsonObject:
        """Change fields of an object."""
        return await self._ask("PATCH", path, {}, body)

    async def delete(self, path: str, grace_seconds: int, propagation: str = "Background") -> None:
        """Ask for the end of an object; that it does not exist is as good."""
        options: JsonObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": grace_seconds,
            "propagationPolicy": propagation,
        }
        try:
            await self._ask("DELETE", path, {}, options)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    async def every(self, path: str, selector: str = "") -> list[JsonObject]:
        """All objects of a list, page by page; anew once when the server forgets the list in between."""
        try:
            return await self._every(path, selector)
        except ApiError as error:
            if error.status != GONE:
                raise
            return await self._every(path, selector)

    async def _every(self, path: str, selector: str) -> list[JsonObject]:
        found: list[JsonObject] = []
        query = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        while True:
            page = await self.get(path, **query)
            found += page.get("items") or []
            mark = page.get("metadata", {}).get("continue")
            if not mark:
                return found
            query["continue"] = mark

    @asynccontextmanager
    async def lines(
        self, path: str, query: Query, quiet_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The lines of a stream; `ConnectionError` when it breaks."""
        async with self._link.stream(path, query, quiet_seconds) as opened:
            if isinstance(opened, Answer):
                raise _refusal(opened)
            yield opened

    async def socket(self, path: str, query: Query) -> Socket:
        """A websocket; opening one that was refused for the moment is tried again."""
        for pause in self._pauses():
            try:
                opened = await self._link.socket(path, query, self._settings.request_seconds)
            except ConnectionError as error:
                opened = Answer(0, None, str(error).encode())
            if not isinstance(opened, Answer):
                return opened
            if pause is None or (opened.status and opened.status not in AGAIN):
                raise _refusal(opened)
            await asyncio.sleep(pause)
        raise AssertionError("the last pause is None")

    async def _ask(self, method: str, path: str, query: Query, body: JsonObject | None = None) -> JsonObject:
        renewed = False
        for pause in self._pauses():
            answer = await self._once(method, path, query, body)
            if 200 <= answer.status < 300:
                return loads(answer.body)
            if answer.status == UNAUTHORIZED and not renewed:
                renewed = True
                await self._link.renew()
            elif pause is None or (answer.status and answer.status not in AGAIN):
                raise _refusal(answer)
            else:
                log.debug("asking the cluster again", method=method, path=path, status=answer.status)
                await asyncio.sleep(min(answer.retry_after or pause, LONGEST_WISH))
        raise _refusal(Answer(UNAUTHORIZED, None, b""))

    async def _once(self, method: str, path: str, query: Query, body: JsonObject | None) -> Answer:
        try:
            return await self._link.request(method, path, query, body, self._settings.request_seconds)
        except ConnectionError as error:
            return Answer(0, None, str(error).encode())

    def _pauses(self) -> Iterator[float | None]:
        """How long to wait after each try; None after the last."""
        yield from backoff(self._settings.retries)
        yield None


def backoff(times: int) -> Iterator[float]:
    """Seconds that double up to a bound, each shortened by chance so that many do not come at once."""
    for turn in range(times):
        # The exponent is bounded too: somebody may wait for hours.
        yield min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(turn, 10)) * CHANCE.uniform(0.5, 1.0)


def _refusal(answer: Answer) -> ApiError:
    """The server's `Status` object, or whatever else it said."""
    said = answer.body.decode(errors="replace")[:SAID].strip()
    try:
        status = loads(answer.body)
        return ApiError(answer.status, str(status.get("reason", "")), str(status.get("message", said)))
    except (ValueError, AttributeError):
        return ApiError(answer.status, "", said or "no answer")
