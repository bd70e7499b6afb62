"""References inside a JSON Schema: only to itself, and not so many that checking a value takes for ever."""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote

from raptorflow.base.json import JsonObject

# Two references each to a next definition with two more: sixty lines would be 2**60 checks.
MAX_CHECKS = 20_000
REFERENCES = ("$ref", "$dynamicRef")
ANCHORS = ("$anchor", "$dynamicAnchor")


def check_references(schema: JsonObject) -> None:
    """Refuse references that leave the schema or multiply.

    Raises:
        ValueError: there is one; the message names it.
    """
    anchors: dict[str, Any] = {}
    for table in _tables(schema):
        if table is not schema and isinstance(table.get("$id"), str):
            raise ValueError("it has an `$id` inside; only the whole schema may have one")
        for key in REFERENCES:
            target = table.get(key)
            if isinstance(target, str) and not target.startswith("#"):
                raise ValueError(f"{target[:100]!r} is outside the schema; copy what it says below `$defs`")
        anchors |= {f"#{table[key]}": table for key in ANCHORS if isinstance(table.get(key), str)}
    _Weights(schema, anchors).of(schema)


class _Weights:
    """How many checks each part of a schema stands for, references followed."""

    def __init__(self, schema: JsonObject, anchors: Mapping[str, Any]) -> None:
        self._schema = schema
        self._anchors = anchors
        self._known: dict[int, int] = {}

    def of(self, part: object) -> int:
        """Count a part; one that is inside itself counts once."""
        if isinstance(part, list):
            return sum(map(self.of, cast("list[object]", part)))
        if not isinstance(part, dict):
            return 0
        known = self._known.get(id(cast("object", part)))
        if known is None:
            table = cast("JsonObject", part)
            self._known[id(table)] = 1
            targets = [self._target(table[key]) for key in REFERENCES if isinstance(table.get(key), str)]
            known = self._known[id(table)] = 1 + sum(map(self.of, [*table.values(), *targets]))
        if known > MAX_CHECKS:
            raise ValueError(f"its references multiply to more than {MAX_CHECKS} checks")
        return known

    def _target(self, reference: str) -> object:
        """What a reference points to; None when it points to nothing, which the validator reports."""
        if reference in self._anchors:
            return self._anchors[reference]
        part: object = self._schema
        for step in unquote(reference).split("/")[1:]:
            part = _below(part, step.replace("~1", "/").replace("~0", "~"))
        return part


def _below(part: object, name: str) -> object:
    if isinstance(part, dict):
        return cast("JsonObject", part).get(name)
    items = cast("list[object]", part) if isinstance(part, list) else []
    return items[int(name)] if name.isdecimal() and int(name) < len(items) else None


def _tables(schema: JsonObject) -> Iterator[JsonObject]:
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            table = cast("JsonObject", part)
            yield table
            waiting.extend(table.values())
        elif isinstance(part, list):
            waiting.extend(cast("list[Any]", part))
