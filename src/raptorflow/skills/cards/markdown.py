"""Pieces of Markdown from a skill's own words, which must not become markup of ours."""

import re
from collections.abc import Iterable, Sequence

from raptorflow.base.json import JsonObject
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.text import printable

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
MAX_CELL = 300
MAX_DEPTH = 3


def plain(text: object) -> str:
    """A text on one line, in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(printable(str(text)).split()))


def code(text: object) -> str:
    """A text as a code span, whatever backticks it has."""
    shown = printable(str(text)).replace("\n", " ")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", shown)), default=0) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}".replace("|", "\\|")


def block(text: str, language: str = "") -> str:
    """A text as a fenced block, whatever fences it has."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    fence = "`" * max(3, max((len(run) for run in re.findall(r"`{3,}", shown)), default=0) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    listed = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    listed += [f"| {' | '.join(cell or ' ' for cell in row)} |" for row in rows]
    return "\n".join(listed)


def schema_table(schema: JsonObject) -> str:
    """An object's fields as a readable table, nested ones with dots."""
    rows = list(_fields(schema, "", 0))
    return table(("field", "type", "", "description"), rows) if rows else "No fields."


def _fields(schema: JsonObject, prefix: str, depth: int) -> Iterable[tuple[str, str, str, str]]:
    required = set(as_list(schema.get("required")) or [])
    for name, inner in (as_mapping(schema.get("properties")) or {}).items():
        field = as_mapping(inner) or {}
        yield (
            code(f"{prefix}{name}"),
            plain(_type_of(field)),
            "required" if name in required else "",
            plain(field.get("description", ""))[:MAX_CELL] + _bounds(field),
        )
        items = as_mapping(field.get("items")) or {}
        if depth < MAX_DEPTH:
            yield from _fields(field, f"{prefix}{name}.", depth + 1)
            yield from _fields(items, f"{prefix}{name}[].", depth + 1)


def _type_of(field: JsonObject) -> str:
    if field.get("format") == "file":
        return "file"
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {_type_of(as_mapping(field.get('items')) or {})}"
    kinds = as_list(kind)
    return " or ".join(map(str, kinds)) if kinds else str(kind)


def _bounds(field: JsonObject) -> str:
    words = {"enum": "one of", "default": "default", "minimum": "at least", "maximum": "at most"}
    told = [f"{words[key]} {code(field[key])}" for key in words if key in field]
    return f" ({', '.join(told)})" if told else ""
