"""Writes docs/reference/settings.md from the settings themselves.

python tools/reference.py            write it
python tools/reference.py --check    fail when it is not what would be written
"""

import ast
import inspect
import json
import os
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from raptorflow.settings import PREFIX, SEPARATOR, Settings

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """\
# Settings

Each setting is an environment variable, or a key of `raptorflow.toml` in the folder a process starts in
(`[database] url = "..."`); variables win. This page is made by `python tools/reference.py`.

The command line has variables of its own: `RAPTORFLOW_HOST` and `RAPTORFLOW_PORT` for `raptorflow run`, and
`RAPTORFLOW_URL` and `RAPTORFLOW_TOKEN` for the commands that talk to a server.
"""


def field_notes(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field in the class, by field."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    if not isinstance(definition, ast.ClassDef):
        return {}
    return dict(_notes(definition))


def _notes(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, note in pairwise(definition.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant):
            yield field.target.id, " ".join(str(note.value.value).split())


def type_name(annotation: Any) -> str:
    """A type as a reader knows it."""
    if get_origin(annotation) is UnionType:
        return ", ".join(type_name(part) for part in get_args(annotation) if part is not type(None))
    name = str(annotation.__name__)
    known = {"SecretStr": "secret", "str": "text", "Path": "path", "bool": "true or false", "dict": "JSON"}
    return known.get(name, name)


def default_of(field: FieldInfo) -> str:
    """The default as it would be written."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, dict):
        return f"`{json.dumps(value)}`"
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def short_name(field_name: str, field: FieldInfo) -> str | None:
    """The variable without its branch, when the setting can be given by it too: found by trying."""
    variable, before = PREFIX + field_name.upper(), default_of(field)
    os.environ[variable] = "some other value"
    try:
        return variable if default_of(field) != before else None
    finally:
        del os.environ[variable]


def branch(name: str, model: type[BaseModel]) -> list[str]:
    """A section for one branch."""
    notes = field_notes(model)
    doc = inspect.getdoc(model) or ""
    lines = [f"\n## {name}\n", doc, "\n| variable | type | default | |", "|---|---|---|---|"]
    for field_name, field in model.model_fields.items():
        variable = f"`{PREFIX}{name.upper()}{SEPARATOR}{field_name.upper()}`"
        short = short_name(field_name, field)
        variable = f"{variable} or `{short}`" if short else variable
        kind, default = type_name(field.annotation), default_of(field)
        lines.append(f"| {variable} | {kind} | {default} | {notes.get(field_name, '')} |")
    return lines


def page() -> str:
    """The whole page, as on a machine where nothing is set."""
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            lines += branch(name, model)
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare it with `--check`; 1 when it is not up to date."""
    text = page()
    if "--check" in sys.argv:
        if text == TARGET.read_text():
            return 0
        print(f"{TARGET.name} is not what the settings say: python tools/reference.py")
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
