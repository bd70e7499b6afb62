"""Inline script metadata (PEP 723): what a script of a skill depends on."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

# The reference expression of https://peps.python.org/pep-0723/, which parsers are told to follow.
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


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
    blocks = [
        match for match in _BLOCK.finditer(text.replace("\r\n", "\n")) if match.group("type") == "script"
    ]
    if len(blocks) > 1:
        raise ValueError("a script has one `# /// script` block, this one has more")
    if not blocks:
        return None
    lines = blocks[0].group("content").splitlines()
    document = tomllib.loads("\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines))
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


def _python(document: dict[str, Any]) -> str | None:
    value = document.get("requires-python")
    if value is None:
        return None
    try:
        return str(SpecifierSet(str(value)))
    except InvalidSpecifier as error:
        raise ValueError(f"requires-python {value!r} is not a version specifier") from error


def _list(document: dict[str, Any]) -> list[Any]:
    value = document.get("dependencies", [])
    if not isinstance(value, list):
        raise ValueError("dependencies is not a list")
    return cast("list[Any]", value)


def _requirement(item: object) -> str:
    try:
        requirement = Requirement(str(item))
    except InvalidRequirement as error:
        raise ValueError(f"{item!r} is not a requirement") from error
    if requirement.url:
        raise ValueError(f"{item!r} names a URL; a skill's dependencies come from the package index")
    return str(requirement)
