"""What a script of the pure tier imports of `raptorflow_skill`, and where."""

import ast
import warnings
from collections.abc import Iterator

HELPER = "raptorflow_skill"

# What can be imported from where; the second part of a name is a module of the package.
MODULE_NAMES = {
    HELPER: frozenset({"action", "errors", "progress", "variables"}),
    f"{HELPER}.action": frozenset({"run", "choose"}),
    f"{HELPER}.errors": frozenset({"SkillError"}),
    f"{HELPER}.progress": frozenset({"report"}),
    f"{HELPER}.variables": frozenset({"variables"}),
}


def parsed(source: str) -> ast.Module:
    """The tree of a script; Python's own warnings about it are nobody's here.

    Raises:
        SyntaxError: it is not Python that can be read.
        ValueError: likewise.
        RecursionError: likewise, because it nests too deep.
        MemoryError: likewise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def helper_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the script calls something of the helper, and what it is called there."""
    for node in imports_from(tree, HELPER):
        yield from ((one.asname or one.name, one.name) for one in node.names)


def imports_from(tree: ast.Module, *modules: str) -> list[ast.ImportFrom]:
    """Imports from modules and what is in them, in order."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(f"{node.module}.".startswith(f"{module}.") for module in modules)
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))
