"""The house rules that no linter has: sizes, where queries stand, and nothing silenced line by line.

    python tools/house.py src packages tests ui/src

A file has at most 500 lines and a function 60, its docstring and decorators included. In a room with a domain
every query is written in a `repository.py`, and nobody ends a transaction by hand: the session's block does.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
SILENCER = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:|pragma|pylint:|ruff:|mypy:)", re.IGNORECASE)
PUT_OFF = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
UI_SILENCER = re.compile(r"(biome-ignore|@ts-ignore|@ts-expect-error|@ts-nocheck|eslint-disable)")
UI_PUT_OFF = re.compile(r"//.*\b(TODO|FIXME|XXX|HACK)\b")
# The rooms with a domain; core and stack own their tables and write SQL where they use it.
DOMAIN = re.compile(
    r"(?:^|/)src/raptorflow/(?:web|monitoring|marketplace|orchestrator|gateway|registry|sandbox|accounts)/"
)
PRODUCT = "src/raptorflow/"
QUERIES = {"select", "insert", "update", "delete", "text", "union", "union_all"}
ENDS_OF_TRANSACTIONS = {"commit", "rollback"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_files(folders: list[str]) -> Iterator[Path]:
    """Every Python and TypeScript file of ours below the folders; what a program wrote is not ours."""
    for folder in folders:
        for file in sorted(path for end in ("py", "ts", "tsx") for path in Path(folder).rglob(f"*.{end}")):
            if ".gen." not in file.name:
                yield file


def problems(file: Path) -> Iterator[str]:
    """What breaks a rule in a file, one line each."""
    text = file.read_text()
    lines = len(text.splitlines())
    if lines > LONGEST_FILE:
        yield f"{file}: {lines} lines, {LONGEST_FILE} at most"
    yield from _python(file, text) if file.suffix == ".py" else _typescript(file, text)


def _typescript(file: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if UI_SILENCER.search(line):
            yield f"{file}:{number}: a rule is silenced: {line.strip()}"
        if UI_PUT_OFF.search(line):
            yield f"{file}:{number}: put off: {line.strip()}"


def _python(file: Path, text: str) -> Iterator[str]:
    tree = ast.parse(text, str(file))
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from _long_function(file, node)
        elif isinstance(node, ast.Raise) and _names(node.exc, "NotImplementedError"):
            yield f"{file}:{node.lineno}: NotImplementedError: leave it out, or finish it"
        elif isinstance(node, ast.Call):
            yield from _fixed_sleep(file, node)
            yield from _ended_transaction(file, node)
    if DOMAIN.search(file.as_posix()) and file.name != "repository.py":
        yield from _queries(file, tree)
    yield from _comments(file, text)


def _long_function(file: Path, node: Function) -> Iterator[str]:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    length = (node.end_lineno or node.lineno) - first + 1
    if length > LONGEST_FUNCTION:
        yield f"{file}:{node.lineno}: {node.name} has {length} lines, {LONGEST_FUNCTION} at most"


def _fixed_sleep(file: Path, node: ast.Call) -> Iterator[str]:
    """A sleep of a literal length is a guess about time; 0 only lets others go on."""
    named_sleep = isinstance(node.func, ast.Attribute | ast.Name) and _last_name(node.func) == "sleep"
    if named_sleep and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value != 0:
        yield f"{file}:{node.lineno}: a sleep of a fixed length: wait for an event, or name the constant"


def _queries(file: Path, tree: ast.Module) -> Iterator[str]:
    """SQLAlchemy's words for a query, imported or reached through the package."""
    packages: set[str] = set()
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            packages |= {one.asname or "sqlalchemy" for one in node.names if _is_sqlalchemy(one.name)}
        elif isinstance(node, ast.ImportFrom) and _is_sqlalchemy(node.module or ""):
            found = [one.name for one in node.names if one.name in QUERIES]
        elif isinstance(node, ast.Attribute) and node.attr in QUERIES:
            found = [node.attr] if _root(node) in packages else []
        for name in found:
            yield f"{file}:{node.lineno}: a query ({name}) stands outside of a repository.py"


def _is_sqlalchemy(module: str) -> bool:
    return module.partition(".")[0] == "sqlalchemy"


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _ended_transaction(file: Path, node: ast.Call) -> Iterator[str]:
    """`commit()` and `rollback()` without arguments are a session's; the block that opened it calls them."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    ends = method in ENDS_OF_TRANSACTIONS and not (node.args or node.keywords)
    if ends and PRODUCT in file.as_posix():
        yield f"{file}:{node.lineno}: {method}(): leaving the session's block ends its transaction"


def _last_name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _names(node: ast.expr | None, name: str) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Name) and called.id == name


def _comments(file: Path, text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and SILENCER.search(token.string):
            yield f"{file}:{token.start[0]}: a rule is silenced: {token.string}"
        if token.type == tokenize.COMMENT and PUT_OFF.search(token.string):
            yield f"{file}:{token.start[0]}: put off: {token.string}"


def main(folders: list[str]) -> int:
    """Print every problem; 1 when there is one."""
    files = list(source_files(folders))
    found = [problem for file in files for problem in problems(file)]
    for problem in found:
        print(problem)
    print(f"{len(files)} files, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
