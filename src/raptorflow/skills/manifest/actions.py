"""`[actions.*]` of `skill.toml`."""

import re
from collections.abc import Collection, Mapping

from raptorflow.base.json import JsonObject
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.manifest.pure import is_pure
from raptorflow.skills.manifest.schemas import inline_schema, read_schema
from raptorflow.skills.manifest.table import FILE, Table
from raptorflow.skills.model import Action

NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
MAX_NAME = 64
MAX_ACTIONS = 100
MAX_DESCRIPTION = 1024
SCRIPT = re.compile(r".+\.(?:py|sh|js|mjs|ts|rb|pl)")


def read_actions(
    actions: Table, files: Mapping[str, bytes], executables: Collection[str]
) -> tuple[Action, ...]:
    """The actions, with their schemas loaded."""
    found = [_action(name, table, files, executables) for name, table in actions.tables()]
    if len(found) > MAX_ACTIONS:
        message = f"There are {len(found)} actions; {MAX_ACTIONS} are the limit."
        actions.error("actions-many", "", message, "Split the skill in two.")
    spelled: dict[str, str] = {}
    for action in found:
        # Models call tools by names that know no `.` and often mix up `-` and `_`.
        other = spelled.setdefault(re.sub(r"[-_.]", "-", action.name), action.name)
        if other != action.name:
            message = f"The actions {other} and {action.name} differ by punctuation alone."
            actions.error("action-clash", action.name, message, "Rename one of the two.")
    return tuple(found)


def _action(name: str, table: Table, files: Mapping[str, bytes], executables: Collection[str]) -> Action:
    table.known("command", "description", "input", "output", "tier")
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        remedy = f"Use a-z, 0-9, and single `-`, `_` or `.` between them; {MAX_NAME} characters at most."
        table.error("action-name", "", f"{name[:80]!r} is no action name.", remedy)
    command = table.texts("command")
    if not command or not command[0].strip():
        remedy = 'Write `command = ["python", "scripts/…"]`.'
        table.error("action-command", "command", f"The action {name} has no command.", remedy)
    else:
        _check_command(command, table, files, executables)
    schemas = (_schema("input", table, files), _schema("output", table, files))
    description = table.text("description").strip() or str(schemas[0].get("description", "")) or name
    if len(description) > MAX_DESCRIPTION:
        message = f"The description has {len(description)} characters; {MAX_DESCRIPTION} are the limit."
        table.error("action-description", "description", message, "Say it shorter.")
    return Action(name, description, command, *schemas, pure=is_pure(table))


def _check_command(
    command: tuple[str, ...], table: Table, files: Mapping[str, bytes], executables: Collection[str]
) -> None:
    name = table.path[-1]
    program = command[0].removeprefix("./")
    is_own = "/" in command[0] and not program.startswith("/")
    for part in [program] * is_own + [part for part in command[1:] if SCRIPT.fullmatch(part)]:
        if part.removeprefix("./") not in files:
            message = f"The action {name} runs {part}, which is not there."
            table.error("action-script", "command", message, "Add the file, or mend the path.")
    if is_own and program in files and program not in executables:
        message = f"The action {name} runs {program}, which is not executable."
        line = table.places.line(*table.path, "command")
        table.findings.warning("action-not-executable", FILE, message, f"Run `chmod +x {program}`.", line)


def _schema(key: str, table: Table, files: Mapping[str, bytes]) -> JsonObject:
    """A schema by its path, or written in place as a table; any object when there is none."""
    value = table.values.get(key)
    inline = as_mapping(value)
    if value is None:
        return {"type": "object"}
    if inline is None and table.text(key).removeprefix("./") not in files:
        message = f"The schema {str(value)[:80]} is not there."
        table.error("schema-missing", key, message, "Add the file, or mend the path.")
        return {"type": "object"}
    path = None if inline is not None else str(value).removeprefix("./")
    try:
        return inline_schema(inline or {}) if path is None else read_schema(files[path])
    except ValueError as error:
        message = f"{path or table.name(key)} is no JSON Schema for an action: {error}."
        line = None if path else table.places.line(*table.path, key)
        remedy = "See https://json-schema.org, draft 2020-12."
        table.findings.error("schema-invalid", path or FILE, message, remedy, line)
        return {"type": "object"}
