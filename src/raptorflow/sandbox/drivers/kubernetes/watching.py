"""Following one object as it changes.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from raptorflow.base.json import JsonObject, loads
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.api import GONE, Api, ApiError, backoff

log = logger(__name__)

Found = TypeVar("Found")
TOO_MANY = 429
# The server ends a watch by itself; and a network that swallows packets is noticed a little later.
WATCH_SECONDS, QUIET_SECONDS = 60, 75.0
MANY = 1_000_000


class HistoryLost(Exception):
    """The server no longer has the changes since our version (410 Gone), or cannot go on: list again."""


async def until(api: Api, path: str, name: str, decide: Callable[[JsonObject | None], Found | None]) -> Found:
    """Follow an object until the decision falls.

    Args:
        api: where it is.
        path: its resource's.
        name: its own.
        decide: called with the object as it is now and after each change, with None while it does not exist;
            may raise.
    """
    async with aclosing(follow(api, path, name)) as states:
        async for state in states:
            if (found := decide(state)) is not None:
                return found
    raise AssertionError("following an object never ends by itself")


async def follow(api: Api, path: str, name: str) -> AsyncGenerator[JsonObject | None]:
    """The object as it is now and after each change, None while it does not exist; without end.

    A watch that breaks is taken up at the version last seen; when the server has forgotten that, the object
    is listed anew, so a state is never missed for long, though steps between two states may be.

    Raises:
        ApiError: the server refuses, or stays silent however often it is asked.
    """
    only = f"metadata.name={name}"
    pauses = backoff(MANY)
    while True:
        listing = await api.get(path, fieldSelector=only)
        yield next(iter(listing.get("items") or ()), None)
        cursor = Cursor(listing["metadata"]["resourceVersion"])
        try:
            async with aclosing(_changes(api, path, only, cursor)) as changes:
                async for change in changes:
                    yield change
        except HistoryLost:
            await asyncio.sleep(next(pauses))


class Cursor:
    """The version that was seen last."""

    def __init__(self, version: str) -> None:
        self.version = version


async def _changes(api: Api, path: str, only: str, cursor: Cursor) -> AsyncGenerator[JsonObject | None]:
    """The changes since a version, over as many connections as it takes."""
    pauses = backoff(MANY)
    while True:
        try:
            async with aclosing(_one_watch(api, path, only, cursor)) as events:
                async for event in events:
                    pauses = backoff(MANY)
                    yield event
        except ConnectionError as error:
            log.debug("a watch broke", path=path, error=str(error))
        except ApiError as error:
            if error.status == GONE:
                raise HistoryLost from error
            if 400 <= error.status < TOO_MANY:
                raise
        await asyncio.sleep(next(pauses))


async def _one_watch(api: Api, path: str, only: str, cursor: Cursor) -> AsyncGenerator[JsonObject | None]:
    """The changes of one connection; bookmarks only move the cursor."""
    query = {
        "watch": "true",
        "fieldSelector": only,
        "resourceVersion": cursor.version,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(WATCH_SECONDS),
    }
    async with api.lines(path, query, QUIET_SECONDS) as lines:
        async for line in lines:
            kind, changed = _event(line)
            if kind == "ERROR":
                raise HistoryLost(str(changed.get("message")))
            cursor.version = changed["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                yield None if kind == "DELETED" else changed


def _event(line: bytes) -> tuple[str, JsonObject]:
    """One line of a watch; a line that is cut short is a broken connection."""
    try:
        event = loads(line)
        return event["type"], event["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectionError("half a line") from error
