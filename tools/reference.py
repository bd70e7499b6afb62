"""Writes docs/reference/settings.md from the settings themselves.

python tools/reference.py
"""

import inspect
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from raptorflow.settings import Settings

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """\
# Settings

Each setting is an environment variable, or a key of `raptorflow.toml` in the folder a process starts in
(`[database] url = "..."`); variables win. This page is made by `python tools/reference.py`.
"""


def field_notes(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field in the class, by field."""
    notes: dict[str, str] = {}
    name = ""
    for line in inspect.getsource(model).splitlines():
        plain = line.strip()
        if plain.startswith('"""') and name:
            notes[name] = plain.strip('"').strip()
            name = ""
        elif line.startswith("    ") and ":" in plain and plain.partition(":")[0] in model.model_fields:
            name = plain.partition(":")[0]
    return notes


def type_name(annotation: Any) -> str:
    """A type as a reader knows it."""
    if get_origin(annotation) is UnionType:
        return ", ".join(type_name(part) for part in get_args(annotation) if part is not type(None))
    name = str(annotation.__name__)
    known = {"SecretStr": "secret", "str": "text", "Path": "path", "bool": "true or false"}
    return known.get(name, name)


def default_of(field: FieldInfo) -> str:
    """The default as it would be written."""
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def branch(name: str, model: type[BaseModel]) -> list[str]:
    """A section for one branch."""
    notes = field_notes(model)
    doc = (inspect.getdoc(model) or "").splitlines()[0]
    lines = [f"\n## {name}\n", doc, "\n| variable | type | default | |", "|---|---|---|---|"]
    for field_name, field in model.model_fields.items():
        variable = f"RAPTORFLOW_{name.upper()}__{field_name.upper()}"
        kind, default = type_name(field.annotation), default_of(field)
        lines.append(f"| `{variable}` | {kind} | {default} | {notes.get(field_name, '')} |")
    return lines


def main() -> None:
    """Write the page."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += branch(name, model)
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
