"""`skill.toml`: what the Agent Skills specification has no field for. Unknown keys are named, not ignored."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import ValidationError
from semver import Version

from raptorflow.base.json import JsonObject, loads
from raptorflow.skills.capabilities import Capabilities, Limits
from raptorflow.skills.errors import VersionRangeInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import as_list, as_mapping, decode
from raptorflow.skills.model import Action, Variable
from raptorflow.skills.quantities import parse_bytes, parse_seconds
from raptorflow.skills.ranges import VersionRange

FILE = "skill.toml"
SECTIONS = {"schema", "skill", "requires", "permissions", "limits", "runtime", "variables", "actions"}
NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
REFERENCE = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
DESTINATION = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9-]+:[0-9]{1,5}")
LIMIT_PARSERS: Mapping[str, tuple[str, Callable[[object], float]]] = {
    "timeout": ("timeout_seconds", parse_seconds),
    "memory": ("memory_bytes", parse_bytes),
    "disk": ("disk_bytes", parse_bytes),
    "output": ("output_bytes", parse_bytes),
    "cpus": ("cpus", lambda value: float(str(value))),
    "processes": ("pids", lambda value: int(str(value))),
}
VARIABLE_TYPES = {"string", "number", "integer", "boolean"}


@dataclass
class Manifest:
    """A `skill.toml`, read as far as it could be."""

    version: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    requires: dict[str, str] = field(default_factory=dict[str, str])
    capabilities: Capabilities = field(default_factory=Capabilities)
    python: str = ">=3.11"
    variables: tuple[Variable, ...] = ()
    actions: tuple[Action, ...] = ()


def parse_manifest(files: Mapping[str, bytes], findings: Findings) -> Manifest:
    """Read `skill.toml` among a skill's files; what cannot be read becomes a finding."""
    text = decode(files[FILE], FILE, findings)
    if text is None:
        return Manifest()
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        findings.error(
            "toml-invalid",
            FILE,
            f"It is not TOML: {error}.",
            "Mend the line.",
            int(line.group(1)) if line else None,
        )
        return Manifest()
    return _Reader(document, text, files, findings).read()


class _Reader:
    """Reads the sections one by one; knows where each key stands."""

    def __init__(
        self, document: dict[str, Any], text: str, files: Mapping[str, bytes], findings: Findings
    ) -> None:
        self._document = document
        self._lines = text.split("\n")
        self._files = files
        self._findings = findings

    def read(self) -> Manifest:
        if self._document.get("schema") != 1:
            self._error(
                "schema-unknown",
                "schema",
                f"`schema` is {self._document.get('schema')!r}.",
                "Write `schema = 1`.",
            )
        self._known(self._document, SECTIONS, "")
        skill = self._section("skill")
        self._known(skill, {"version", "categories", "tags"}, "skill.")
        runtime = self._section("runtime")
        self._known(runtime, {"python"}, "runtime.")
        return Manifest(
            version=self._version(skill.get("version")),
            categories=self._texts(skill.get("categories", []), "categories"),
            tags=self._texts(skill.get("tags", []), "tags"),
            requires=self._requires(),
            capabilities=self._capabilities(),
            python=self._python(runtime.get("python", ">=3.11")),
            variables=self._variables(),
            actions=self._actions(),
        )

    def _version(self, value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not Version.is_valid(value):
            self._error(
                "version-invalid",
                "version",
                f"{value!r} is not a semantic version.",
                'Write it like "1.2.0".',
            )
            return None
        return value

    def _requires(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for reference, wanted in self._section("requires").items():
            if not REFERENCE.fullmatch(reference):
                self._error(
                    "requires-name", reference, f"{reference!r} names no skill.", "Write `namespace/name`."
                )
                continue
            try:
                VersionRange.parse(str(wanted))
            except VersionRangeInvalid as error:
                self._error("requires-range", reference, error.message, str(error.hint))
            found[reference] = str(wanted)
        return found

    def _capabilities(self) -> Capabilities:
        permissions = self._section("permissions")
        self._known(permissions, {"network", "secrets", "services"}, "permissions.")
        network = self._texts(permissions.get("network", []), "network")
        for destination in network:
            if not DESTINATION.fullmatch(destination):
                self._error(
                    "network-invalid", "network", f"{destination!r} is no destination.", "Write `host:port`."
                )
        secrets = {
            name: str(host) for name, host in (as_mapping(permissions.get("secrets", {})) or {}).items()
        }
        for name, host in secrets.items():
            if host not in network:
                remedy = f'Add "{host}" to `network`, or bind {name} to a host that is there.'
                self._error(
                    "secret-unbound", name, f"{name} is bound to {host!r}, which `network` lacks.", remedy
                )
        services = {
            name: frozenset(self._texts(operations, name))
            for name, operations in (as_mapping(permissions.get("services", {})) or {}).items()
        }
        for name in [*services, *(operation for operations in services.values() for operation in operations)]:
            if not NAME.fullmatch(name):
                self._error(
                    "service-name", name, f"{name!r} is no service or operation.", "Use kebab-case or dots."
                )
        return Capabilities(
            network=frozenset(network), secrets=secrets, services=services, limits=self._limits()
        )

    def _limits(self) -> Limits:
        section = self._section("limits")
        self._known(section, set(LIMIT_PARSERS), "limits.")
        values: dict[str, float] = {}
        for key, value in section.items():
            if key in LIMIT_PARSERS:
                name, parse = LIMIT_PARSERS[key]
                try:
                    values[name] = parse(value)
                except ValueError as error:
                    self._error("limit-invalid", key, f"{error}.", "Write it like `60s` or `512MB`.")
        try:
            return Limits.model_validate(values)
        except ValidationError as error:
            for issue in error.errors():
                self._error(
                    "limit-range", "limits", f"{issue['loc'][0]}: {issue['msg']}.", "Stay within the range."
                )
            return Limits()

    def _python(self, value: object) -> str:
        try:
            return str(SpecifierSet(str(value)))
        except InvalidSpecifier:
            self._error(
                "python-invalid", "python", f"{value!r} is not a version specifier.", 'Write ">=3.11".'
            )
            return ">=3.11"

    def _variables(self) -> tuple[Variable, ...]:
        found: list[Variable] = []
        for name, value in self._section("variables").items():
            entry = as_mapping(value) or {}
            self._known(entry, {"type", "default", "description"}, f"variables.{name}.")
            if entry.get("type") not in VARIABLE_TYPES:
                remedy = f"Use one of {', '.join(sorted(VARIABLE_TYPES))}."
                self._error(
                    "variable-type", name, f"The variable {name} has the type {entry.get('type')!r}.", remedy
                )
                continue
            found.append(
                Variable(name, entry["type"], entry.get("default"), str(entry.get("description", "")))
            )
        return tuple(found)

    def _actions(self) -> tuple[Action, ...]:
        found: list[Action] = []
        for name, value in self._section("actions").items():
            entry = as_mapping(value) or {}
            self._known(entry, {"command", "description", "input", "output"}, f"actions.{name}.")
            if not NAME.fullmatch(name):
                self._error("action-name", name, f"{name!r} is no action name.", "Use a-z, 0-9, `-`, `_`.")
            command = self._texts(entry.get("command", []), "command")
            if not command:
                self._error(
                    "action-command",
                    name,
                    f"The action {name} has no command.",
                    'Write `command = ["python", …]`.',
                )
            self._check_script(name, command)
            schemas = (self._schema(name, entry.get("input")), self._schema(name, entry.get("output")))
            description = str(entry.get("description") or schemas[0].get("description") or name)
            found.append(Action(name, description, command, *schemas))
        return tuple(found)

    def _check_script(self, name: str, command: tuple[str, ...]) -> None:
        for part in command[1:]:
            if part.endswith((".py", ".sh", ".js")) and part not in self._files:
                self._error(
                    "action-script",
                    name,
                    f"The action {name} runs {part}, which is not there.",
                    "Add the file.",
                )

    def _schema(self, action: str, path: object) -> JsonObject:
        """A schema by its path, or written in place as a table."""
        inline = as_mapping(path)
        if path is None or inline is not None:
            return inline or {"type": "object"}
        content = self._files.get(str(path))
        if content is None:
            self._error(
                "schema-missing", action, f"The schema {path} is not there.", "Add the file or mend the path."
            )
            return {"type": "object"}
        try:
            schema = as_mapping(loads(content))
            if schema is None:
                raise ValueError("it is not an object")
            jsonschema_rs.validator_for(schema)
        except ValueError as error:
            message = f"{path} is not a JSON Schema: {str(error).splitlines()[0]}."
            self._findings.error("schema-invalid", str(path), message, "See https://json-schema.org.")
            return {"type": "object"}
        return schema

    def _section(self, name: str) -> dict[str, Any]:
        value = self._document.get(name, {})
        section = as_mapping(value)
        if section is None:
            self._error("section-invalid", name, f"`{name}` is not a table.", f"Write `[{name}]`.")
        return section or {}

    def _texts(self, value: object, key: str) -> tuple[str, ...]:
        items = as_list(value)
        if items is None or not all(isinstance(item, str) for item in items):
            self._error("list-invalid", key, f"`{key}` is not a list of texts.", f'Write `{key} = ["…"]`.')
            return ()
        return tuple(items)

    def _known(self, section: Mapping[str, Any], known: set[str], prefix: str) -> None:
        for key in section.keys() - known:
            remedy = f"Known here: {', '.join(sorted(known))}."
            self._error("key-unknown", key, f"`{prefix}{key}` is not a key of skill.toml.", remedy)

    def _error(self, code: str, key: str, message: str, remedy: str) -> None:
        line = next((number for number, text in enumerate(self._lines, 1) if key in text), None)
        self._findings.error(code, FILE, message, remedy, line)
