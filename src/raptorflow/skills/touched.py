"""Which actions of a skill a change concerns: by their commands, schemas, and what their scripts import."""

import ast
from collections.abc import Collection, Iterator, Mapping

from raptorflow.skills.evals.reading import ACTIONS as CASES
from raptorflow.skills.frontmatter import FILE
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.model import Action, Skill

# What concerns no action: instructions and other cases.
NEVER = ("evals/triggers.json", "evals/evals.json", "CHANGELOG.md", "README.md", "LICENSE", FILE)


def touched_actions(skill: Skill, files: Mapping[str, bytes], changed: Collection[str]) -> set[str]:
    """The names of the actions whose cases have to run again.

    Args:
        skill: the skill as it is now.
        files: its files, by path.
        changed: the paths that were written, added or removed.
    """
    relevant = {path for path in changed if path not in NEVER}
    if relevant & {MANIFEST, CASES} or any(path not in files for path in relevant):
        return {action.name for action in skill.actions}
    used = {action.name: set(_used(action, files)) for action in skill.actions}
    known = set[str]().union(*used.values())
    # A file that no script names may still be read by any of them.
    data = {path for path in relevant if path not in known and not path.endswith(".py")}
    return {name for name, paths in used.items() if data or paths & relevant}


def _used(action: Action, files: Mapping[str, bytes]) -> Iterator[str]:
    """The action's script, and the modules beside it that it imports, however far."""
    waiting = [part.removeprefix("./") for part in action.command if part.removeprefix("./") in files]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        yield path
        folder = path.rpartition("/")[0]
        for module in _imports(files[path]) if path.endswith(".py") else ():
            place = module.replace(".", "/")
            names = (f"{folder}/{place}.py", f"{folder}/{place}/__init__.py", f"{place}.py")
            waiting += [name.lstrip("/") for name in names if name.lstrip("/") in files]


def _imports(content: bytes) -> set[str]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
