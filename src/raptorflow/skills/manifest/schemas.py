"""The JSON Schemas of actions (draft 2020-12): complete in themselves, and of objects."""

from typing import Any

import jsonschema_rs

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.manifest.references import check_references
from raptorflow.skills.text import control_in, texts_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES = 256 * 1024


def read_schema(content: bytes) -> JsonObject:
    """The schema in a file.

    Raises:
        ValueError: it is none that an action can have; the message says why.
    """
    if len(content) > MAX_SCHEMA_BYTES:
        raise ValueError(f"it has {len(content)} bytes; {MAX_SCHEMA_BYTES} are the limit")
    schema = as_mapping(loads(content))
    if schema is None:
        raise ValueError("it is not an object")
    if schema.get("$schema", DRAFT) not in {DRAFT, f"{DRAFT}#"}:
        raise ValueError(f"its `$schema` is not {DRAFT}")
    if schema.get("type") != "object":
        raise ValueError('its `type` is not "object", and an action takes and gives an object')
    if found := next(filter(None, map(control_in, texts_of(schema))), None):
        raise ValueError(f"it has the control character {found}")
    try:
        # Without this, a `$ref` would be fetched: from the network, or from this machine's files.
        jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
        check_references(schema)
        dumps(schema)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(str(error).split("\n", 1)[0].rstrip(".")) from error
    return _with_plain_properties(schema)


def inline_schema(table: JsonObject) -> JsonObject:
    """The schema written in place in `skill.toml`, `type = "object"` understood.

    Raises:
        ValueError: it is none that an action can have, or has values that JSON has not.
    """
    try:
        return read_schema(dumps({"type": "object"} | table).encode())
    except TypeError as error:
        raise ValueError(str(error)) from error


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri[:100]} is outside the schema; copy what it says below `$defs`")


def _with_plain_properties(schema: JsonObject) -> JsonObject:
    """Boolean schemas of properties written as objects, so that every reader may look inside them."""
    properties = as_mapping(schema.get("properties"))
    if properties is None:
        return schema
    written_out: dict[bool, JsonObject] = {True: {}, False: {"not": {}}}
    plain = {
        name: written_out[inner] if isinstance(inner, bool) else inner for name, inner in properties.items()
    }
    return {**schema, "properties": plain}
