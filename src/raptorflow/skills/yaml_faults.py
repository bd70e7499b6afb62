"""What a YAML parser's complaint means to who wrote the frontmatter, and how to mend it."""

import re
from dataclasses import dataclass

import yaml

QUOTE = "Quote a value that has `: ` or ` #` in it, or starts with a special character."


@dataclass(frozen=True)
class YamlFault:
    """A complaint in plain words: the end of `The frontmatter is not YAML: …`, a remedy, and the line."""

    problem: str
    remedy: str
    line: int | None


# A part of what libyaml says, what it means, and the remedy. The first that is found counts.
MEANINGS = (
    (
        "mapping values are not allowed",
        "the value has `: ` in it; lenient clients try again with quotes, others skip the skill",
        'Put the whole value in quotes: `description: "…"`; `--fix` does it.',
    ),
    (
        "did not find expected key",
        "something follows a value that is already over",
        "Put the whole value in quotes, or indent the line as the one above.",
    ),
    (
        "could not find expected ':'",
        "a line is neither `key: value` nor the rest of the value above",
        "Write `key: value`, indent the line, or close the frontmatter with `---` above it.",
    ),
    (
        "did not find expected ',' or '}'",
        "a `{` is never closed",
        "Close it with `}`, each inner one too.",
    ),
    (
        "did not find expected ',' or ']'",
        "a `[` is never closed, or something follows a quoted text in it",
        "Close it with `]`, and put `,` between the items.",
    ),
    (
        "unhashable key",
        "a list or a table stands where a key belongs",
        'Write `"key": value` there.',
    ),
    (
        "did not find expected node content",
        "a value starts with a character that has a meaning in YAML",
        "Put the whole value in quotes.",
    ),
    (
        "cannot start any token",
        "a value starts with a tab, `@`, a backtick or `%`, which YAML keeps for itself",
        "Indent with spaces, and put such a value in quotes.",
    ),
    (
        "unexpected end of stream",
        "a quotation mark is never closed",
        "Close it, or take the opening one away.",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "a value starts with `*` or `&`, which YAML takes for the name of an anchor",
        "Put the whole value in quotes.",
    ),
    (
        "found undefined alias",
        "`*` at the start of a value refers to an anchor that is not there",
        "Put the value in quotes when `*` is part of the text.",
    ),
    (
        "could not determine a constructor",
        "a value starts with `!`, which names a type that no client knows",
        "Put the value in quotes when `!` is part of the text.",
    ),
    (
        "control characters are not allowed",
        "it has a control character",
        "Take the character out; it is invisible in most editors.",
    ),
)
# Complaints whose cause stands where the thing began, not where the parser gave up.
BEGUN_ABOVE = ("expected ','", "expected ':'", "unexpected end of stream")
_CHARACTER = re.compile(r"#x0*([0-9a-fA-F]+)")


def explain(error: Exception, source: str, first_line: int) -> YamlFault:
    """Say what an error of reading means.

    Args:
        error: what PyYAML raised.
        source: the YAML it read.
        first_line: the number of its first line in the file.
    """
    said = _said(error)
    line = _line(error, source, first_line)
    for words, problem, remedy in MEANINGS:
        if words in str(error):
            found = _CHARACTER.search(said)
            return YamlFault(f"{problem} (U+{int(found[1], 16):04X})" if found else problem, remedy, line)
    return YamlFault(said, QUOTE, line)


def _said(error: Exception) -> str:
    if not isinstance(error, yaml.YAMLError):
        return "a value does not fit its type"
    return getattr(error, "problem", None) or str(error).split("\n", 1)[0]


def _line(error: Exception, source: str, first_line: int) -> int | None:
    """The place that the parser, or its reader of characters, names; or where it began."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        begun = any(words in str(error.problem) for words in BEGUN_ABOVE)
        opened = error.context_mark if begun else None
        return (opened or error.problem_mark).line + first_line
    position = getattr(error, "position", None)
    return source.count("\n", 0, position) + first_line if isinstance(position, int) else None
