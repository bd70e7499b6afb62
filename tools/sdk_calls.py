"""The source of a room's calls: two classes, blocking and not, with a method for each operation."""

import re
from dataclasses import dataclass
from typing import Any

TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
FORMATS = {"uuid": "UUID"}
HEAD = '''"""The calls of the {room} API. Written by `make api` from the API's document."""

from types import NoneType
from typing import Any, Literal
from uuid import UUID

from raptorflow_sdk.api.{room} import models
from raptorflow_sdk.transport import AsyncTransport, Request, Transport

'''
CLASS = '''
class {prefix}{name}:
    """The {room} API{how}."""

    def __init__(self, transport: {prefix}Transport) -> None:
        self._transport = transport
'''


@dataclass(frozen=True)
class Argument:
    """A parameter of a call, and where it goes: path, query, header or body."""

    name: str
    wire: str
    place: str
    type: str
    default: str | None

    def written(self) -> str:
        """As in a signature."""
        return f"{self.name}: {self.type}" + (f" = {self.default}" if self.default else "")


def calls_module(room: str, document: dict[str, Any]) -> str:
    """The module's source, not yet formatted."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if answer_type(operation) is not None
    ]
    source = HEAD.format(room=room)
    for prefix, how in (("", ""), ("Async", ", not blocking")):
        source += CLASS.format(prefix=prefix, name=room.capitalize(), room=room, how=how)
        source += "".join(call(prefix, *each) for each in operations)
    return source


def call(prefix: str, method: str, path: str, operation: dict[str, Any]) -> str:
    """One method."""
    arguments = [*parameters(operation), *body(operation)]
    first = [each for each in arguments if each.default is None]
    named = [each for each in arguments if each not in first]
    taken = ["self", *(each.written() for each in first), *(["*"] * bool(named))]
    signature = ", ".join([*taken, *(each.written() for each in named)])
    answer = answer_type(operation) or "None"
    define, wait = ("async def", "await ") if prefix else ("def", "")
    doc = operation.get("description") or operation["summary"]
    text = "\n        ".join(line if line.strip() else "" for line in doc.splitlines())
    name = operation["operationId"].split("_api_v1", 1)[0]
    return f'''
    {define} {name}({signature}) -> {answer}:
        """{text}"""
        request = Request({request_of(method, path, arguments)})
        return {wait}self._transport.call(request, {"NoneType" if answer == "None" else answer})
'''


def request_of(method: str, path: str, arguments: list[Argument]) -> str:
    """The arguments of a `Request`."""
    parts = [repr(method.upper()), repr(path)]
    for place in ("path", "query", "header"):
        pairs = [f"{each.wire!r}: {each.name}" for each in arguments if each.place == place]
        if pairs:
            parts.append(f"{place}={{{', '.join(pairs)}}}")
    parts += ["body=" + each.name for each in arguments if each.place == "body"]
    return ", ".join(parts)


def parameters(operation: dict[str, Any]) -> list[Argument]:
    """Those of path, query and header."""
    found: list[Argument] = []
    for each in operation.get("parameters", []):
        schema = each["schema"]
        default = None if each["required"] else repr(schema.get("default"))
        name = re.sub(r"\W", "_", each["name"])
        found.append(Argument(name, each["name"], each["in"], type_of(schema, default), default))
    return found


def body(operation: dict[str, Any]) -> list[Argument]:
    """The body, a model or bytes."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return []
    schema = content.get("application/json", {}).get("schema")
    return [Argument("body", "body", "body", type_of(schema, None) if schema else "bytes", None)]


def answer_type(operation: dict[str, Any]) -> str | None:
    """What a call returns: a model, bytes, or `None` in writing; None for a stream of events."""
    code, answer = next(item for item in operation["responses"].items() if item[0].startswith("2"))
    content = answer.get("content", {})
    if "text/event-stream" in content:
        return None
    if code == "204":
        return "None"
    schema = content.get("application/json", {}).get("schema")
    return type_of(schema, None) if schema else "bytes"


def type_of(schema: dict[str, Any], default: str | None) -> str:
    """A schema as a Python type."""
    if "$ref" in schema:
        return f"models.{schema['$ref'].rpartition('/')[2]}"
    if "anyOf" in schema:
        return " | ".join(type_of(each, default) for each in schema["anyOf"])
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    kind = schema.get("type")
    if kind == "null":
        return "None"
    if kind == "array":
        return f"list[{type_of(schema['items'], None)}]"
    return FORMATS.get(schema.get("format", "")) or TYPES.get(kind or "") or "dict[str, Any]"
