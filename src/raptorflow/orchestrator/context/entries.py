"""Transcript entries as they are stored: plain JSON, read without the machinery of models."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from raptorflow.base.json import JsonObject

Role = Literal["user", "assistant", "tool"]


@dataclass(frozen=True)
class Entry:
    """One entry of the transcript (`models.Message` describes `content`)."""

    turn: int
    position: int
    role: Role
    content: JsonObject


def text_of(entry: Entry) -> str:
    """What a person reads of an entry."""
    if entry.role == "assistant":
        parts: list[JsonObject] = entry.content.get("parts", [])
        return join_texts(part["content"] for part in parts if part.get("part_kind") == "text")
    return entry.content["text"] if entry.role == "user" else entry.content["content"]


def join_texts(texts: Iterable[str]) -> str:
    """Several text parts of one answer as one text."""
    return "\n\n".join(text for text in texts if text)


def call_parts(entry: Entry) -> list[JsonObject]:
    """The tool calls of an assistant entry: `tool_call_id`, `tool_name` and `args` each."""
    parts: list[JsonObject] = entry.content.get("parts", [])
    return [part for part in parts if part.get("part_kind") == "tool-call"]


def without_nul(content: JsonObject) -> JsonObject:
    """The same without U+0000, which PostgreSQL's jsonb cannot hold."""
    return {key: _clean(value) for key, value in content.items()}


def printable(text: str) -> str:
    """The same without U+0000."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def _clean(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in cast(dict[object, object], value).items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in cast(list[object], value)]
    return value
