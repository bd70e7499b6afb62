"""The fields of documents that others wrote: each is checked before anything is done with it."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from raptorflow.base.json import loads
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.paths import path_problem
from raptorflow.skills.sources.errors import SourceInvalid
from raptorflow.skills.text import control_in, shown

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
MAX_TEXT = 2000
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_object(content: bytes, name: str, most: int) -> dict[str, Any]:
    """A JSON object of at most `most` bytes.

    Raises:
        SourceInvalid: it is larger, no JSON or no object.
    """
    if len(content) > most:
        raise SourceInvalid(f"{name} has {len(content)} bytes; {most} are the limit.")
    try:
        document = as_mapping(loads(content))
    except ValueError as error:
        raise SourceInvalid(f"{name} is no JSON: {error}.") from error
    if document is None:
        raise SourceInvalid(f"{name} is no JSON object.")
    return document


def text_in(table: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """A text of a table, one line; the default when it is not there.

    Raises:
        SourceInvalid: it is missing without a default, no text, too long, or has control characters.
    """
    value = table.get(key, default)
    if not isinstance(value, str) or len(value) > MAX_TEXT or control_in(value) or "\n" in value:
        raise SourceInvalid(f"`{key}` is {shown(value)}, and should be a short text.")
    return value


def inner_path(text: str) -> str:
    """A folder or file below another, without `./` and `/` at its edges; empty for the other one itself.

    Raises:
        SourceInvalid: it leads outside, or cannot be stored everywhere.
    """
    parts = [part for part in text.split("/") if part not in {"", "."}]
    path = "/".join(parts)
    problem = "leads outside or nowhere" if text.startswith(("/", "~")) else path and path_problem(path)
    if problem:
        raise SourceInvalid(f"The path {shown(text)} {problem}.")
    return path


def digest_in(table: Mapping[str, Any]) -> str:
    """The hex SHA-256 in the field `digest`.

    Raises:
        SourceInvalid: it is none.
    """
    found = DIGEST.fullmatch(text_in(table, "digest"))
    if found is None:
        raise SourceInvalid(f"`digest` is {shown(table['digest'])}, not `sha256:` and 64 hex digits.")
    return found[1]


class Named(Protocol):
    """What a list holds, each under a name of its own."""

    @property
    def name(self) -> str:
        """The name."""
        ...


Entry = TypeVar("Entry", bound=Named)


def read_each(
    listed: Iterable[object], word: str, read: Callable[[Mapping[str, Any]], Entry]
) -> tuple[tuple[Entry, ...], dict[str, str]]:
    """The entries of a list, and why others cannot be used: those do not keep the rest from being read.

    Args:
        listed: the list.
        word: what to call one that has no name.
        read: reads one; what it raises as `SourceInvalid` is the reason.
    """
    found: dict[str, Entry] = {}
    refused: dict[str, str] = {}
    for number, each in enumerate(listed, 1):
        table = as_mapping(each) or {}
        try:
            entry = read(table)
            if entry.name in found:
                raise SourceInvalid("It is listed twice.")
            found[entry.name] = entry
        except SourceInvalid as error:
            refused[_label(table, f"{word} {number}")] = error.message
    return tuple(found.values()), refused


def _label(table: Mapping[str, Any], place: str) -> str:
    """What to call an entry that may have no name, or one that another has."""
    name = table.get("name")
    return f"{name} ({place})" if isinstance(name, str) and LABEL.fullmatch(name) else place
