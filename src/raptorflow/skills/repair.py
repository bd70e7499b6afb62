"""The one repair that lenient clients make: a plain value with `: ` in it, put in quotes."""

import re

from raptorflow.base.json import dumps

# A top-level field with a plain value on its own line; what YAML gives a meaning at its start is left alone.
_PLAIN = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):[ \t]+(?![\[\]{}\"'|>&*!%@`#])(\S.*)")
_NEEDS_QUOTES = re.compile(r":(?:[ \t]|$)")


def quoted_values(source: str) -> str | None:
    """The frontmatter with such values quoted, line by line; None when there are none."""
    lines = source.split("\n")
    mended = [_quoted(line) for line in lines]
    return "\n".join(mended) if mended != lines else None


def _quoted(line: str) -> str:
    found = _PLAIN.fullmatch(line)
    if found is None or not _NEEDS_QUOTES.search(found[2]):
        return line
    # A JSON string is a YAML string.
    return f"{found[1]}: {dumps(found[2].rstrip())}"
