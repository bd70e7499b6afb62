"""From the text of a module to its tree, within bounds, and as much of a broken one as can be read."""

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

from raptorflow.skills.scanning.subject import Source

MAX_MENDS = 12
MAX_MENDED = 64 * 1024
_PRINT = re.compile(r"^(\s*)print\s+(?![(=])(.{0,500})$", re.MULTILINE)
_TOO_DEEP = (RecursionError, MemoryError)


@dataclass(frozen=True)
class Parsed:
    """A source and its tree.

    Attributes:
        whole: whether all of it could be read.
    """

    source: Source
    tree: ast.Module
    whole: bool


def parse(source: Source) -> Parsed | None:
    """The tree of a source; None when nothing of it is Python of this version."""
    text = textwrap.dedent(source.text).lstrip("\ufeff") if source.fenced else source.text.lstrip("\ufeff")
    text = text.replace("\0", " ")
    tree = _tree_of(text)
    if isinstance(tree, ast.Module):
        return Parsed(source, tree, whole=True)
    mended = _mended(text) if len(text) <= MAX_MENDED else None
    return Parsed(source, mended, whole=False) if mended and mended.body else None


def _tree_of(text: str) -> ast.Module | int | None:
    """The tree, or the line that is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return error.lineno
    except (ValueError, *_TOO_DEEP):
        return None


def _mended(text: str) -> ast.Module | None:
    """The tree without the lines that are no Python: examples have placeholders, old code prints."""
    lines = _PRINT.sub(r"\1print(\2)", text).split("\n")
    for _ in range(MAX_MENDS):
        tree = _tree_of("\n".join(lines))
        if isinstance(tree, ast.Module):
            return tree
        if tree is None or not 0 < tree <= len(lines) or lines[tree - 1].strip() == "pass":
            return None
        line = lines[tree - 1]
        lines[tree - 1] = f"{line[: len(line) - len(line.lstrip())]}pass"
    return None
