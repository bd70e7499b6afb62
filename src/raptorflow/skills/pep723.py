"""Inline script metadata (PEP 723): what a script of a skill depends on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from raptorflow.skills.toml import parse_toml

# The two lines of https://peps.python.org/pep-0723/; its one expression for the whole block takes quadratic
# time on a file of opening lines, so the lines between are walked here.
_OPENING = re.compile(r"# /// ([a-zA-Z0-9-]+)")
_CLOSING = "# ///"
MAX_BLOCK = 64 * 1024


@dataclass(frozen=True)
class ScriptMetadata:
    """A script's `requires-python` and dependencies (PEP 508)."""

    requires_python: str | None
    dependencies: tuple[str, ...]


def script_metadata(text: str) -> ScriptMetadata | None:
    """The metadata of a script; None when it has none.

    Raises:
        ValueError: the block is not valid.
    """
    blocks = [content for kind, content in _blocks(text.replace("\r\n", "\n")) if kind == "script"]
    if len(blocks) > 1:
        raise ValueError("a script has one `# /// script` block, this one has more")
    if not blocks:
        return None
    document = parse_toml("\n".join(line[2:] for line in blocks[0]), MAX_BLOCK)
    return ScriptMetadata(_python(document), tuple(_requirement(item) for item in _list(document)))


def skill_dependencies(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The dependencies of all Python scripts of a skill, sorted, each once.

    Raises:
        ValueError: a script's block is not valid; the message names the script.
    """
    found: set[str] = set()
    for path, content in files.items():
        if path.endswith(".py"):
            try:
                metadata = script_metadata(content.decode("utf-8", errors="replace"))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            found.update(metadata.dependencies if metadata else ())
    return tuple(sorted(found))


def opening_line(text: str) -> int | None:
    """The line of the first `# /// script`, counted from 1."""
    lines = text.replace("\r\n", "\n").split("\n")
    return next((number for number, line in enumerate(lines, 1) if line == f"{_CLOSING} script"), None)


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """Each block's type and the comment lines between its opening line and the last closing one."""
    found: list[tuple[str, list[str]]] = []
    run: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line == "#" or line.startswith("# "):
            run.append(line)
        elif run:
            found += _block_of(run)
            run = []
    return found


def _block_of(run: list[str]) -> list[tuple[str, list[str]]]:
    """The one block that consecutive comment lines can have: content may look like an opening line too."""
    opening = next((place for place, line in enumerate(run) if _OPENING.fullmatch(line)), None)
    closing = max((place for place, line in enumerate(run) if line == _CLOSING), default=-1)
    if opening is None or closing < opening + 2:
        return []
    return [(run[opening].removeprefix(f"{_CLOSING} "), run[opening + 1 : closing])]


def _python(document: dict[str, Any]) -> str | None:
    value = document.get("requires-python")
    if value is None:
        return None
    try:
        return str(SpecifierSet(str(value)))
    except InvalidSpecifier as error:
        raise ValueError(f"requires-python {str(value)[:80]!r} is not a version specifier") from error


def _list(document: dict[str, Any]) -> list[Any]:
    value = document.get("dependencies", [])
    if not isinstance(value, list):
        raise ValueError("dependencies is not a list")
    return cast("list[Any]", value)


def _requirement(item: object) -> str:
    text = str(item)[:500]
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text[:80]!r} is not a requirement") from error
    if requirement.url:
        raise ValueError(f"{text[:80]!r} names a URL; a skill's dependencies come from the package index")
    return str(requirement)
