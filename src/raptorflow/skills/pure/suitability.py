"""Whether a script can run in the pure tier, by reading it: every reason why not, with its line. Pure.

What this does not see (a method that a type lacks there) shows when the script runs: it then ends with an
error that it would not have in a sandbox. As nothing of a pure action is ever seen outside, it may simply
be run again in one.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from raptorflow.skills.pure.imports import HELPER, MODULE_NAMES, helper_names, parsed
from raptorflow.skills.pure.vocabulary import MISSING_BUILTINS, MODULES
from raptorflow.skills.text import shown

_SYNTAX: dict[type[ast.AST], str] = {
    ast.Yield: "a generator (`yield`)",
    ast.YieldFrom: "a generator (`yield from`)",
    ast.Delete: "`del`",
    ast.TryStar: "`except*`",
}
# The reader holds the interpreter for up to 50 ms for so many; longer ones go to a sandbox.
MAX_SCRIPT = 16 * 1024
_METHODS = {"format": "`str.format`", "format_map": "`str.format_map`"}


@dataclass(frozen=True, order=True)
class Obstacle:
    """Why a script cannot run there."""

    line: int
    reason: str


def can_run(source: str) -> list[Obstacle]:
    """Everything that stands against running a script in the pure tier; nothing when it can."""
    if len(source) > MAX_SCRIPT:
        return [Obstacle(0, f"it is longer than {MAX_SCRIPT:,} characters")]
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [Obstacle(getattr(error, "lineno", None) or 0, "it is not Python that can be read")]
    bound = _bound(tree)
    found = {
        Obstacle(getattr(node, "lineno", 0), reason)
        for node in ast.walk(tree)
        for reason in _reasons(node, bound)
    }
    found |= set(_told_errors(tree))
    # It counts as indentation for some readers of Python and not for others.
    found |= {Obstacle(source[:at].count("\n") + 1, "a form feed") for at in [source.find("\f")] if at >= 0}
    return sorted(found)


def _reasons(node: ast.AST, bound: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Import() | ast.ImportFrom():
            yield from _imports(node)
        case ast.ClassDef():
            yield from _class(node)
        case ast.Name(id=name) if name in MISSING_BUILTINS and name not in bound:
            yield f"`{name}` is not there"
        case ast.Attribute(attr=name) if name in _METHODS:
            yield f"{_METHODS[name]} is not there"
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES and module not in bound:
            if name not in MODULES[module]:
                yield f"`{module}.{name}` is not there"
        case _:
            if words := _SYNTAX.get(type(node)):
                yield f"{words} is not supported"


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for one in node.names:
            if one.name.partition(".")[0] == HELPER:
                yield f"`import {one.name}`: write `from {HELPER} import ...`"
            elif one.name not in MODULES:
                yield f"the module {shown(one.name)} is not there"
        return
    module = node.module or ""
    if node.level:
        yield "a module of its own is not there"
    elif module.partition(".")[0] == HELPER:
        known = MODULE_NAMES.get(module, frozenset())
        yield from (f"`{one.name}` of {module} is not there" for one in node.names if one.name not in known)
    elif module not in MODULES and module != "__future__":
        yield f"the module {shown(module)} is not there"
    elif module in MODULES:
        lacking = [one.name for one in node.names if one.name not in MODULES[module]]
        yield from (f"`{module}.{name}` is not there" for name in lacking)


def _class(node: ast.ClassDef) -> Iterator[str]:
    if node.bases or node.keywords:
        yield f"the class {node.name} inherits"
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.decorator_list:
            yield f"the method {node.name}.{part.name} is decorated"


def _bound(tree: ast.Module) -> frozenset[str]:
    """Names that the script gives a meaning of its own somewhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                # A module that is imported under its own name keeps its meaning.
                plain = isinstance(node, ast.Import)
                names |= {one.asname or one.name for one in aliases if one.asname or not plain}
            case _:
                continue
    return frozenset(names)


def _told_errors(tree: ast.Module) -> Iterator[Obstacle]:
    """`SkillError` is a function there: it can be raised, and not caught, subclassed or compared."""
    aliases = {alias for alias, name in helper_names(tree) if name == "SkillError"}
    raises = any(name in {"SkillError", "errors"} for _, name in helper_names(tree))
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in aliases and id(node) not in called:
                yield Obstacle(node.lineno, "`SkillError` is used otherwise than to raise it")
            case ast.Attribute(attr="SkillError") if id(node) not in called:
                yield Obstacle(node.lineno, "`SkillError` is used otherwise than to raise it")
            case ast.ExceptHandler(type=ast.expr() as caught) if raises and "RuntimeError" in _names(caught):
                yield Obstacle(node.lineno, "`except RuntimeError` would catch a `SkillError`")
            case _:
                continue


def _names(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
