"""Characters that a text must not hold, or should not: controls act on terminals, others are invisible."""

import re
from collections.abc import Iterator
from typing import Any, cast

# All of C0 and C1 but tab, line feed, form feed and carriage return; and halves of UTF-16 pairs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Marks that take no room, that reverse the reading direction, or that spell ASCII in invisible tags.
_HIDDEN = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
SHOWN = 60
KINDS = {"dict": "table"}


def control_in(text: str) -> str | None:
    """The first control character or lone surrogate, as `U+001B`; None when there is none."""
    found = _CONTROL.search(text)
    return name_of(found.group()) if found else None


def hidden_in(text: str) -> str | None:
    """The first character that a reader cannot see but a model can, as `U+200B`."""
    found = _HIDDEN.search(text)
    return name_of(found.group()) if found else None


def name_of(character: str) -> str:
    """`U+200B`."""
    return f"U+{ord(character):04X}"


def shown(value: object) -> str:
    """A value as a message shows it: quoted, escaped, and never long; a collection only by its kind."""
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() <= SHOWN else "a number of many digits"
    return f"a {KINDS.get(type(value).__name__, type(value).__name__)}"


def printable(text: str) -> str:
    """The text with controls and lone surrogates spelt out, so that no terminal or encoder trips on it."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def texts_of(value: object) -> Iterator[str]:
    """Every text inside a value of tables and lists, however deep, keys included; shared parts once."""
    waiting: list[Any] = [value]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list) and id(cast("object", item)) not in seen:
            seen.add(id(cast("object", item)))
            if isinstance(item, dict):
                table = cast("dict[object, Any]", item)
                waiting.extend(table.values())
                waiting.extend(table.keys())
            else:
                waiting.extend(cast("list[Any]", item))
