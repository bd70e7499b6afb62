"""Shell by its syntax tree: pipelines of commands, with quotes taken off and plain variables filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from raptorflow.skills.scanning.nodes import nodes
from raptorflow.skills.scanning.subject import Source

_PARSER = Parser(Language(tree_sitter_bash.language()))
MAX_SOURCE = 200_000
MAX_PIPELINES = 3000
_ESCAPES = re.compile(r"\\x([0-9a-fA-F]{1,2})|\\([0-7]{1,3})|\\u([0-9a-fA-F]{1,4})")
# Prompts that documents show before a command, and what make takes off a recipe's line.
_PROMPT = re.compile(r"^[ \t]*[$%>#] (?=[a-z./~])|^\t[@+-]{1,3}", re.MULTILINE)
_UNKNOWN = "\ufffc"
_ONLY_RUN = {"sudo", "env", "nohup", "exec", "command", "time", "doas", "xargs", "then", "do"}


@dataclass(frozen=True)
class Command:
    """A simple command.

    Attributes:
        words: the program and its arguments, as far as they can be read off.
        redirects: what is redirected, `>> ~/.bashrc`.
    """

    words: tuple[str, ...]
    redirects: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The program's name, without its folder and what only runs it (`sudo`, `env A=1`)."""
        for word in " ".join(self.words[:6]).split():
            name = word.rpartition("/")[2]
            if name in _ONLY_RUN or "=" in word or word[:1] == "-":
                continue
            return name
        return ""

    @property
    def target(self) -> tuple[str, ...]:
        """The words from the program on, without what only runs it."""
        for place, word in enumerate(self.words):
            if word not in _ONLY_RUN and "=" not in word and word[:1] != "-":
                return self.words[place:]
        return self.words

    @property
    def line(self) -> str:
        """The words and redirections as one text."""
        return " ".join((*self.words, *self.redirects))


@dataclass(frozen=True)
class Pipeline:
    """Commands that feed each other.

    Attributes:
        line: the file's line, counted from 1.
        raw: as it was written, substitutions included.
    """

    commands: tuple[Command, ...]
    line: int
    raw: str

    @property
    def text(self) -> str:
        """The whole as one text."""
        return " | ".join(command.line for command in self.commands)


def pipelines(source: Source) -> list[Pipeline]:
    """Every pipeline of a shell text, those inside of substitutions too."""
    text = _PROMPT.sub(lambda found: " " * len(found[0]), source.text[:MAX_SOURCE])
    content = text.encode("utf-8", "replace")
    tree = _PARSER.parse(content)
    reader = _Reader(content, source.first_line)
    found: list[Pipeline] = []
    for node in nodes(tree.root_node):
        if node.type == "variable_assignment":
            reader.assign(node)
        elif node.type == "pipeline" or (node.type in _ALONE and not _inside(node)):
            found.append(reader.pipeline(node))
            if len(found) >= MAX_PIPELINES:
                break
    return found


_ALONE = {"command", "redirected_statement"}


def _inside(node: Node) -> bool:
    """Whether a node is a part of a pipeline or redirection that is taken as a whole."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "redirected_statement":
        return True
    return parent.type == "pipeline"


class _Reader:
    """Reads words, and remembers what plain variables were given."""

    def __init__(self, content: bytes, first_line: int) -> None:
        self._content = content
        self._first_line = first_line
        self._values = {"IFS": " ", "HOME": "~"}

    def assign(self, node: Node) -> None:
        """Remember a variable with a value that can be read off."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None and value is not None:
            read = self.word(value)
            if _UNKNOWN not in read and len(read) < 4000:
                self._values[self._raw(name)] = read

    def pipeline(self, node: Node) -> Pipeline:
        """A pipeline, a command or a redirected one."""
        parts = node.named_children if node.type == "pipeline" else [node]
        commands = tuple(command for part in parts for command in self._commands(part))
        return Pipeline(commands, node.start_point.row + self._first_line, self._raw(node)[:4000])

    def _commands(self, node: Node) -> Iterator[Command]:
        if node.type == "command":
            yield Command(tuple(self._words(node)))
        elif node.type == "redirected_statement":
            body = node.child_by_field_name("body")
            redirects = tuple(self.redirect(child) for child in node.children if "redirect" in child.type)
            inner = list(self._parts(body)) if body is not None else []
            yield from inner[:-1]
            last = inner[-1] if inner else Command(())
            yield Command(last.words, (*last.redirects, *redirects))
        elif node.type in {"subshell", "compound_statement", "list"}:
            yield from self._parts(node)

    def _parts(self, node: Node) -> Iterator[Command]:
        if node.type in {"command", "redirected_statement"}:
            yield from self._commands(node)
            return
        for child in node.named_children:
            if child.type in {"command", "redirected_statement"}:
                yield from self._commands(child)
            elif child.type == "pipeline":
                yield from (command for part in child.named_children for command in self._commands(part))

    def redirect(self, node: Node) -> str:
        """A redirection as a text."""
        return "".join(
            self.word(child) if child.is_named else f"{self._raw(child)} " for child in node.children
        )

    def _words(self, node: Node) -> Iterator[str]:
        for child in node.children:
            if child.type == "command_name":
                yield self.word(child)
            elif "redirect" in child.type:
                yield self.redirect(child)
            elif child.type != "variable_assignment":
                yield self.word(child)

    def word(self, node: Node) -> str:
        """A word without quotes; what only a run could tell is one strange character."""
        kind = node.type
        if kind in {"simple_expansion", "expansion"}:
            return self._expanded(node)
        if kind in {"command_substitution", "process_substitution"}:
            return self._raw(node)
        if kind == "raw_string":
            return self._raw(node)[1:-1]
        if kind == "ansi_c_string":
            return _ESCAPES.sub(_character, self._raw(node)[2:-1])
        if kind == "string":
            return self._string(node)
        if kind in {"concatenation", "command_name", "array"}:
            return "".join(self.word(child) for child in node.children)
        raw = self._raw(node)
        return raw.replace("\\", "") if kind == "word" else raw

    def _string(self, node: Node) -> str:
        """A string keeps what stands between its parts, which the tree does not name."""
        text, place = "", node.start_byte + 1
        for child in node.children[1:-1] or []:
            text += self._between(place, child.start_byte) + self.word(child)
            place = child.end_byte
        return text + self._between(place, node.end_byte - 1)

    def _between(self, start: int, end: int) -> str:
        return self._content[start:end].decode("utf-8", "replace")

    def _expanded(self, node: Node) -> str:
        name = next((child for child in node.named_children if "variable_name" in child.type), None)
        return self._values.get(self._raw(name), f"${self._raw(name)}") if name is not None else _UNKNOWN

    def _raw(self, node: Node) -> str:
        return self._content[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _character(found: re.Match[str]) -> str:
    digits, base = (found[1] or found[3], 16) if not found[2] else (found[2], 8)
    return chr(int(digits, base))
