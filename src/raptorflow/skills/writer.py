"""From a `Skill` back to `SKILL.md`, `skill.toml` and schemas, which read as the same skill again."""

from decimal import Decimal

import tomlkit

from raptorflow.base.json import JsonObject, dumps
from raptorflow.skills.capabilities import MIB, Capabilities, Limits
from raptorflow.skills.frontmatter import FILE, write_document
from raptorflow.skills.manifest.document import PYTHON, SCHEMA
from raptorflow.skills.manifest.pure import PURE
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.model import Action, Skill, Variable


def write_skill(skill: Skill) -> dict[str, bytes]:
    """The files that describe a skill, by path; its scripts and other files are not among them."""
    files = {FILE: write_skill_md(skill)}
    if skill.has_manifest:
        files[MANIFEST] = write_manifest(skill)
        for action in skill.actions:
            files[_schema_path(action, "input")] = dumps(action.input_schema)
            files[_schema_path(action, "output")] = dumps(action.output_schema)
    return {path: text.encode() for path, text in files.items()}


def write_skill_md(skill: Skill) -> str:
    """The text of its `SKILL.md`."""
    optional = {
        "license": skill.license,
        "compatibility": skill.compatibility,
        "metadata": dict(skill.metadata) or None,
        "allowed-tools": " ".join(skill.allowed_tools) or None,
    }
    given = {key: value for key, value in optional.items() if value is not None}
    return write_document({"name": skill.name, "description": skill.description, **given}, skill.body)


def write_manifest(skill: Skill) -> str:
    """The text of its `skill.toml`; what is empty or as by default is left out."""
    labels = {"categories": list(skill.categories), "tags": list(skill.tags)}
    sections: JsonObject = {
        "schema": SCHEMA,
        "skill": {"version": skill.version} | {key: given for key, given in labels.items() if given},
        "requires": dict(skill.requires),
        "permissions": _permissions(skill.capabilities),
        "limits": _limits(skill.capabilities.limits),
        "runtime": {"python": skill.python} if skill.python != PYTHON else {},
        "variables": {variable.name: _variable(variable) for variable in skill.variables},
        "actions": {action.name: _action(action) for action in skill.actions},
    }
    return tomlkit.dumps({key: value for key, value in sections.items() if value})


def with_version(manifest: str, version: str) -> str:
    """The text of a `skill.toml` with another version; comments and order stay as they are.

    Raises:
        ValueError: the text is no TOML.
    """
    document = tomlkit.parse(manifest)
    skill = document.setdefault("skill", tomlkit.table())
    skill["version"] = version
    return tomlkit.dumps(document)


def _schema_path(action: Action, side: str) -> str:
    return f"schemas/{action.name}.{side}.json"


def _permissions(capabilities: Capabilities) -> JsonObject:
    declared = capabilities.model_dump(mode="json", include={"network", "secrets", "services"})
    return {key: value for key, value in declared.items() if value}


def _limits(limits: Limits) -> dict[str, str | int | float]:
    written: dict[str, str | int | float] = {
        "timeout": f"{format(Decimal(repr(limits.timeout_seconds)), 'f')}s",
        "memory": _size(limits.memory_bytes),
        "cpus": format(Decimal(repr(limits.cpus)), "f"),
        "processes": limits.pids,
        "disk": _size(limits.disk_bytes),
        "output": _size(limits.output_bytes),
    }
    return written if limits != Limits() else {}


def _size(size: int) -> str | int:
    return size if size % MIB else f"{size // MIB}MB"


def _variable(variable: Variable) -> JsonObject:
    optional = {"default": variable.default, "description": variable.description or None}
    return {"type": variable.type} | {key: value for key, value in optional.items() if value is not None}


def _action(action: Action) -> JsonObject:
    return {
        "description": action.description,
        "command": list(action.command),
        "input": _schema_path(action, "input"),
        "output": _schema_path(action, "output"),
    } | ({"tier": PURE} if action.pure else {})
