"""JSON Schemas of actions: as tools for a model, and as checks before and after a run."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs

from raptorflow.base.json import JsonObject, canonical, loads

FILE_FORMAT = "file"
MOST_PROBLEMS = 5


def with_files(schema: JsonObject, names: Sequence[str]) -> JsonObject:
    """The schema with every top-level file input narrowed to the session's file names."""
    properties: dict[str, JsonObject] = schema.get("properties", {})
    if not any(is_file(inner) for inner in properties.values()):
        return schema
    narrowed = {name: _file(inner, names) if is_file(inner) else inner for name, inner in properties.items()}
    return {**schema, "properties": narrowed}


def is_file(schema: JsonObject) -> bool:
    """Whether an input is a file, to be mounted for the run."""
    return schema.get("format") == FILE_FORMAT


def file_inputs(schema: JsonObject) -> list[str]:
    """The names of a schema's top-level file inputs."""
    properties: dict[str, JsonObject] = schema.get("properties", {})
    return [name for name, inner in properties.items() if is_file(inner)]


def problems(schema: JsonObject, value: Any) -> list[str]:
    """What about a value does not fit a schema, one sentence each, a few at most."""
    validator = _validator(canonical(schema))
    found: list[str] = []
    for error in validator.iter_errors(value):
        place = "/".join(str(step) for step in error.instance_path)
        found.append(f"{place}: {error.message}" if place else error.message)
        if len(found) == MOST_PROBLEMS:
            break
    return found


def _file(schema: JsonObject, names: Sequence[str]) -> JsonObject:
    told = f"{schema.get('description', '').rstrip('. ')}. ".lstrip(". ")
    if not names:
        return {**schema, "description": f"{told}No file is attached yet; ask the person for one."}
    return {**schema, "enum": list(names), "description": f"{told}The name of a file of this session."}


@lru_cache(maxsize=1024)
def _validator(schema: bytes) -> Any:
    return jsonschema_rs.validator_for(loads(schema))
