"""`SKILL.md`: YAML between two `---` lines, then Markdown. All of YAML, within bounds.

The format is that of https://agentskills.io/specification.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml

from raptorflow.skills.findings import Findings
from raptorflow.skills.text import shown
from raptorflow.skills.yaml_faults import explain

FENCE = "---"
FILE = "SKILL.md"
# The opening fence is line 1, so the YAML's line 0 is the file's line 2.
FIRST_LINE = 2
MAX_FRONTMATTER = 64 * 1024
# Parsers take quadratic time, or a stack frame, for each level of nesting.
MAX_DEPTH = 20
# Aliases and merges multiply: a few lines would become gigabytes when they are followed.
MAX_NODES = 10_000
# What PyYAML raises for a value that does not fit its explicit tag (`!!int ""`, `!!bool x`, `!!map [a]`).
MISFITS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Document:
    """A `SKILL.md`, taken apart.

    Attributes:
        fields: the frontmatter.
        lines: the line each field stands on, counted from 1; `metadata.author` for one inside another.
        body: the Markdown, without empty lines around it.
        body_line: the line it starts on.
    """

    fields: dict[str, Any]
    lines: dict[str, int]
    body: str
    body_line: int


class _Loader(yaml.CSafeLoader):
    """Safe YAML that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is there already."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                problem = f"the key {shown(key)} is given twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse_document(content: bytes, findings: Findings) -> Document | None:
    """Take a `SKILL.md` apart; None, and a finding, when that cannot be done."""
    text = decode(content, FILE, findings)
    if text is None:
        return None
    parts = split_document(text)
    if parts is None:
        if text.split("\n", 1)[0].rstrip() == FENCE:
            message, remedy = "The frontmatter has no closing `---`.", "Close it with `---`."
            findings.error("frontmatter-open", FILE, message, remedy, 1)
        else:
            message, remedy = "The file does not start with `---`.", "Start with frontmatter."
            findings.error("frontmatter-missing", FILE, message, remedy, 1)
        return None
    source, body = parts
    parsed = _parse_fields(source, findings)
    if parsed is None:
        return None
    instructions = body.lstrip("\n")
    above = source.count("\n") + FIRST_LINE + 2 + len(body) - len(instructions)
    return Document(*parsed, instructions.rstrip("\n"), above)


def split_document(text: str) -> tuple[str, str] | None:
    """The YAML between the fences and the text below them; None when there are no two fences."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    return None if end is None else ("\n".join(lines[1:end]), "\n".join(lines[end + 1 :]))


def read_events(source: str) -> Iterator[yaml.Event]:
    """The parser's events, as long as they are not nested too deep.

    Raises:
        yaml.YAMLError: it is no YAML, or nested deeper than 20 levels.
    """
    depth = 0
    parser: Any = yaml.CSafeLoader(source)
    while parser.check_event():
        event: yaml.Event = parser.get_event()
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            problem = f"it is nested deeper than {MAX_DEPTH} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=cast("Any", event).start_mark)
        yield event


def write_document(fields: dict[str, Any], body: str) -> str:
    """The text of a `SKILL.md`; reading it back gives the same fields and body."""
    header = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=10_000)
    instructions = body.strip("\n")
    return f"{FENCE}\n{header}{FENCE}\n\n{instructions}\n"


def decode(content: bytes, file: str, findings: Findings) -> str | None:
    """UTF-8 text with Unix line ends and no byte order mark; None, and a finding, when it is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        findings.error("not-utf8", file, f"Byte {error.start} is not UTF-8.", "Save the file as UTF-8.", line)
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def as_mapping(value: object) -> dict[str, Any] | None:
    """The value as a mapping with text keys, or None when it is something else."""
    if not isinstance(value, dict):
        return None
    known = cast("dict[object, Any]", value)
    return {str(key): item for key, item in known.items()}


def as_list(value: object) -> list[Any] | None:
    """The value as a list, or None when it is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def _parse_fields(source: str, findings: Findings) -> tuple[dict[str, Any], dict[str, int]] | None:
    if len(source) > MAX_FRONTMATTER:
        message = f"The frontmatter has {len(source)} characters; {MAX_FRONTMATTER} are the limit."
        findings.error("frontmatter-too-long", FILE, message, "Move text into the body.", 1)
        return None
    try:
        deque(read_events(source), maxlen=0)
        loader: Any = _Loader(source)
        node = cast("yaml.Node | None", loader.get_single_node())
        _refuse_multiplied(node)
        fields = as_mapping(loader.construct_document(node) if node else None)
    except (yaml.YAMLError, *MISFITS) as error:
        fault = explain(error, source, FIRST_LINE)
        message = f"The frontmatter is not YAML: {fault.problem}."
        findings.error("yaml-invalid", FILE, message, fault.remedy, fault.line)
        return None
    if fields is None or not isinstance(node, yaml.MappingNode):
        findings.error(
            "frontmatter-empty", FILE, "The frontmatter has no fields.", "Give `name` and `description`.", 1
        )
        return None
    return fields, dict(_places(node))


def _places(table: yaml.MappingNode, above: str = "") -> Iterator[tuple[str, int]]:
    """The line of each key, `key` or `key.inner`."""
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", table.value):
        if isinstance(key, yaml.ScalarNode):
            yield f"{above}{key.value}", key.start_mark.line + FIRST_LINE
            if isinstance(value, yaml.MappingNode) and not above:
                yield from _places(value, f"{key.value}.")


def _refuse_multiplied(root: yaml.Node | None) -> None:
    """Count the nodes as if each alias were written out."""
    sizes: dict[int, int] = {}

    def size(node: object) -> int:
        if isinstance(node, tuple | list):
            return sum(size(part) for part in cast("list[object]", node))
        if not isinstance(node, yaml.Node) or isinstance(node, yaml.ScalarNode):
            return 1
        known = sizes.get(id(node))
        if known is None:
            # A node inside itself stands for more than any limit.
            sizes[id(node)] = MAX_NODES + 1
            known = sizes[id(node)] = 1 + size(cast("object", node.value))
        return known

    if size(root) > MAX_NODES:
        raise yaml.YAMLError(f"with its aliases written out it has over {MAX_NODES} values")
