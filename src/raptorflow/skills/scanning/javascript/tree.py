"""JavaScript by its syntax tree: calls with their arguments, and which names hold what."""

from collections.abc import Callable
from dataclasses import dataclass

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from raptorflow.skills.scanning.nodes import nodes
from raptorflow.skills.scanning.subject import Source

_PARSER = Parser(Language(tree_sitter_javascript.language()))
MAX_SOURCE = 400_000
MAX_TEXT = 2000


@dataclass(frozen=True)
class Call:
    """A call or a construction.

    Attributes:
        name: what is called, as written: `child_process.exec`.
        arguments: as written.
    """

    name: str
    arguments: str
    line: int


@dataclass(frozen=True)
class Assignment:
    """A name and the expression it was given."""

    names: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Code:
    """What the rules read of a source."""

    calls: tuple[Call, ...]
    assignments: tuple[Assignment, ...]
    strings: tuple[tuple[str, int], ...]


def read(source: Source) -> Code:
    """A source's calls, assignments and strings in the order of the text; TypeScript as far as it goes."""
    content = source.text[:MAX_SOURCE].encode("utf-8", "replace")
    calls: list[Call] = []
    assignments: list[Assignment] = []
    strings: list[tuple[str, int]] = []

    def text(node: Node | None) -> str:
        if node is None:
            return ""
        return content[node.start_byte : min(node.end_byte, node.start_byte + MAX_TEXT)].decode(
            "utf-8", "replace"
        )

    for node in nodes(_PARSER.parse(content).root_node):
        line = node.start_point.row + source.first_line
        if node.type in {"call_expression", "new_expression"}:
            called = node.child_by_field_name("function") or node.child_by_field_name("constructor")
            calls.append(Call(text(called), text(node.child_by_field_name("arguments")), line))
        elif node.type == "variable_declarator":
            names = _bound(node.child_by_field_name("name"), text)
            assignments.append(Assignment(names, text(node.child_by_field_name("value"))))
        elif node.type in {"assignment_expression", "augmented_assignment_expression"}:
            assignments.append(
                Assignment((text(node.child_by_field_name("left")),), text(node.child_by_field_name("right")))
            )
        elif node.type in {"string", "template_string"} and node.end_byte - node.start_byte > 12:
            strings.append((text(node)[1:-1], line))
    return Code(tuple(calls), tuple(assignments), tuple(strings))


def _bound(node: Node | None, text: Callable[[Node], str]) -> tuple[str, ...]:
    """The names that a declaration binds, those of a pattern too."""
    if node is None:
        return ()
    return tuple(part.split(":")[-1].strip(" .") for part in text(node).strip("{}[] ").split(","))
