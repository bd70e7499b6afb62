"""`SKILL.md`: YAML between two `---` lines, then Markdown. All of YAML, within bounds.

The format is that of https://agentskills.io/specification.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, cast

import yaml

from raptorflow.skills.findings import Findings

FENCE = "---"
FILE = "SKILL.md"
MAX_FRONTMATTER = 64 * 1024
# Aliases can multiply: a few lines would become gigabytes when they are written out.
MAX_ALIASES = 50


@dataclass(frozen=True)
class Document:
    """A `SKILL.md`, taken apart.

    Attributes:
        fields: the frontmatter.
        lines: the line each top-level field stands on, counted from 1.
    """

    fields: dict[str, Any]
    lines: dict[str, int]
    body: str


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is there already."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_document(content: bytes, findings: Findings) -> Document | None:
    """Take a `SKILL.md` apart; None, and a finding, when that cannot be done."""
    text = decode(content, FILE, findings)
    if text is None:
        return None
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        findings.error(
            "frontmatter-missing", FILE, "The file does not start with `---`.", "Start with frontmatter.", 1
        )
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        findings.error(
            "frontmatter-open", FILE, "The frontmatter has no closing `---`.", "Close it with `---`.", 1
        )
        return None
    source = "\n".join(lines[1:end])
    fields = _parse_fields(source, findings)
    if fields is None:
        return None
    places = {
        key: number + 2
        for number, line in enumerate(lines[1:end])
        if (key := line.partition(":")[0]) in fields
    }
    return Document(fields, places, "\n".join(lines[end + 1 :]).strip("\n"))


def write_document(fields: dict[str, Any], body: str) -> str:
    """The text of a `SKILL.md`; reading it back gives the same fields and body."""
    header = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=10_000)
    return f"{FENCE}\n{header}{FENCE}\n\n{body.strip()}\n"


def decode(content: bytes, file: str, findings: Findings) -> str | None:
    """UTF-8 text with Unix line ends and no byte order mark; None, and a finding, when it is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        findings.error("not-utf8", file, f"Byte {error.start} is not UTF-8.", "Save the file as UTF-8.", line)
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse_fields(source: str, findings: Findings) -> dict[str, Any] | None:
    if len(source) > MAX_FRONTMATTER:
        message = f"The frontmatter has {len(source)} characters; {MAX_FRONTMATTER} are the limit."
        findings.error("frontmatter-too-long", FILE, message, "Move text into the body.", 1)
        return None
    try:
        _refuse_alias_flood(source)
        loaded: object = _Loader(source).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
        line = mark.line + 2 if mark else None
        findings.error(
            "yaml-invalid", FILE, f"The frontmatter is not YAML: {problem}.", "Quote values with `: `.", line
        )
        return None
    fields = as_mapping(loaded)
    if fields is None:
        findings.error(
            "frontmatter-empty", FILE, "The frontmatter has no fields.", "Give `name` and `description`.", 1
        )
        return None
    return fields


def as_mapping(value: object) -> dict[str, Any] | None:
    """The value as a mapping with text keys, or None when it is something else."""
    if not isinstance(value, dict):
        return None
    known = cast("dict[object, Any]", value)
    return {str(key): item for key, item in known.items()}


def as_list(value: object) -> list[Any] | None:
    """The value as a list, or None when it is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def _refuse_alias_flood(source: str) -> None:
    untyped: Any = yaml
    aliases = sum(isinstance(event, yaml.AliasEvent) for event in untyped.parse(source, yaml.SafeLoader))
    if aliases > MAX_ALIASES:
        raise yaml.YAMLError(f"it has {aliases} aliases; {MAX_ALIASES} are the limit")
