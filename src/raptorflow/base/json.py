"""JSON: one fast reader and writer, one canonical form for digests."""

from typing import Any

import orjson

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
JsonObject = dict[str, Any]


def dumps(value: object) -> str:
    """Compact JSON text; UUIDs and aware datetimes are strings, numbers that are not finite are null."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def canonical(value: object) -> bytes:
    """The one byte form of a JSON value (sorted keys, no spaces, UTF-8), for digests."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: the text is not JSON.
    """
    return orjson.loads(text)
