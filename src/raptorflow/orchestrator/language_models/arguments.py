"""Filling an action's arguments from a request by rules, schema property by schema property. Pure.

a file              the one that is named, else the one that came with the question, else the newest
an enumeration      the value that is mentioned
a question or text  the request itself
a date              the dates mentioned, in order
a number            the number beside a word of the property's name, else the one number there is
a truth value       true when the property's words are mentioned
other text          what stands in quotes
otherwise           the schema's default, or nothing
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from raptorflow.base.json import JsonObject

_WORD = re.compile(r"[a-z0-9]+")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:[.,]\d+)?(?![\w-])")
_QUOTED = re.compile("[\"'`\u2018\u201c]([^\"'`\u2019\u201d]{1,200})[\"'`\u2019\u201d]")
_REQUEST_NAMES = {"question", "query", "request", "prompt", "text", "message", "goal", "task", "instruction"}
_COMMON = {"a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "is", "it", "my", "me", "with", "by"}
NEAR = 24
"""A number belongs to a word at most this many characters away."""


def words_of(text: str) -> frozenset[str]:
    """The words of a text, lower case, in their simplest plural-free form."""
    words = _WORD.findall(text.lower().replace("_", " "))
    return frozenset(_singular(word) for word in words if word not in _COMMON)


@dataclass(frozen=True)
class Request:
    """What a person asked, and the names of the files that came with it."""

    text: str
    attached: Sequence[str]

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the question."""
        return words_of(self.text)

    @cached_property
    def quoted(self) -> list[str]:
        """What stands in quotes."""
        return _QUOTED.findall(self.text)

    @cached_property
    def dates(self) -> list[str]:
        """The dates mentioned, in order."""
        return _DATE.findall(self.text)

    @cached_property
    def numbers(self) -> list[tuple[float, int]]:
        """The numbers mentioned, without those of dates, and where each stands."""
        text = _DATE.sub(lambda found: " " * len(found[0]), self.text)
        return [(float(found[0].replace(",", ".")), found.start()) for found in _NUMBER.finditer(text)]

    def search_text(self) -> str:
        """What to search skills by: the question, and what the files are."""
        suffixes = sorted({name.rpartition(".")[2].lower() for name in self.attached if "." in name})
        return f"{self.text} ({', '.join(suffixes)} file)" if suffixes else self.text


def fill(schema: JsonObject, request: Request) -> JsonObject:
    """Arguments for a schema of an object, as far as the request tells them."""
    properties: dict[str, JsonObject] = schema.get("properties", {})
    required = set(schema.get("required", []))
    found: JsonObject = {}
    for name, inner in properties.items():
        value = _value(name, inner, request, found)
        if value is None and name in required:
            value = inner.get("default")
        if value is not None:
            found[name] = value
    return found


def missing(schema: JsonObject, arguments: JsonObject) -> list[str]:
    """The required arguments that are not there."""
    return [name for name in schema.get("required", []) if name not in arguments]


def _value(name: str, schema: JsonObject, request: Request, found: JsonObject) -> Any:
    if schema.get("format") == "file":
        return _file(schema, request)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _mentioned(schema["enum"], request)
    rule = _RULES.get(str(schema.get("type", "string")))
    return rule(name, schema, request, found) if rule else None


def _file(schema: JsonObject, request: Request) -> str | None:
    names: list[str] = schema.get("enum", [])
    asked = request.text.lower()
    named = [name for name in names if name.lower() in asked]
    attached = [name for name in names if name in request.attached]
    return next(iter([*named, *attached[-1:], *names[-1:]]), None)


def _mentioned(values: Sequence[Any], request: Request) -> Any:
    for value in values:
        words = words_of(str(value))
        if words and words <= request.words:
            return value
    return None


def _text(name: str, schema: JsonObject, request: Request, found: JsonObject) -> str | None:
    if schema.get("format") == "date" or "date" in words_of(name):
        used = {value for value in found.values() if isinstance(value, str)}
        return next((date for date in request.dates if date not in used), None)
    if words_of(name) & _REQUEST_NAMES:
        longest = schema.get("maxLength")
        return request.text[:longest] if longest else request.text
    used = {value for value in found.values() if isinstance(value, str)}
    return next((quoted for quoted in request.quoted if quoted not in used), None)


def _number(name: str, schema: JsonObject, request: Request, found: JsonObject) -> float | int | None:
    fitting = [(number, place) for number, place in request.numbers if _allowed(number, schema)]
    words = words_of(name)
    near = [number for number, place in fitting if words & words_of(_around(request.text, place))]
    only = [number for number, _ in fitting] if len(fitting) == 1 else []
    value = next(iter([*near, *only]), None)
    return int(value) if value is not None and schema["type"] == "integer" else value


def _truth(name: str, schema: JsonObject, request: Request, found: JsonObject) -> bool | None:
    words = words_of(name)
    return True if words and words <= request.words else None


def _list(name: str, schema: JsonObject, request: Request, found: JsonObject) -> list[Any] | None:
    items: JsonObject = schema.get("items", {})
    if "enum" in items:
        chosen = [value for value in items["enum"] if words_of(str(value)) <= request.words]
        return chosen or None
    return list(request.quoted) if items.get("type") == "string" and request.quoted else None


def _allowed(number: float, schema: JsonObject) -> bool:
    if schema["type"] == "integer" and not number.is_integer():
        return False
    return schema.get("minimum", number) <= number <= schema.get("maximum", number)


def _around(text: str, place: int) -> str:
    return text[max(0, place - NEAR) : place + NEAR]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_Rule = Callable[[str, JsonObject, Request, JsonObject], Any]
_RULES: dict[str, _Rule] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": _truth,
    "array": _list,
}
