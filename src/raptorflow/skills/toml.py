"""TOML, read within bounds."""

import re
import tomllib
from pathlib import Path
from typing import Any

# `tomllib` takes quadratic time in the number of dots of a key.
MAX_DOTS = 16
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}[ \t]*\.[ \t]*){{{MAX_DOTS}}}")
_AT_LINE = re.compile(r"at line (\d+)")


def parse_toml(text: str, most_bytes: int) -> dict[str, Any]:
    """Parse a document.

    Raises:
        ValueError: it is no TOML, or too long or too deep; the message says where.
    """
    if len(text) > most_bytes:
        raise ValueError(f"it has {len(text)} characters; {most_bytes} are the limit")
    if deep := _LONG_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise ValueError(f"a key with {MAX_DOTS} dots or more (at line {line})")
    try:
        return tomllib.loads(text)
    except (RecursionError, OverflowError) as error:
        raise ValueError("it is nested too deep, or a number is too large") from error


def read_toml(path: Path, most_bytes: int) -> dict[str, Any]:
    """Parse a file, of which no more is read than it may have.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no TOML in UTF-8, or too long or too deep; the message says where.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it has over {most_bytes} bytes")
    return parse_toml(content.decode(), most_bytes)


def line_of(error: ValueError) -> int | None:
    """The line that a parser's message names."""
    found = _AT_LINE.search(str(error))
    return int(found.group(1)) if found else None
