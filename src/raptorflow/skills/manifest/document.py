"""`skill.toml`: what the Agent Skills specification has no field for. Unknown keys are named, not ignored."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from semver import Version

from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.errors import VersionRangeInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import decode
from raptorflow.skills.manifest.actions import read_actions
from raptorflow.skills.manifest.permissions import read_capabilities
from raptorflow.skills.manifest.places import KeyPlaces
from raptorflow.skills.manifest.pure import check_pure
from raptorflow.skills.manifest.table import FILE, Table
from raptorflow.skills.model import Action, Variable
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.text import control_in, shown, texts_of
from raptorflow.skills.toml import line_of, parse_toml

SCHEMA = 1
SECTIONS = ("schema", "skill", "requires", "permissions", "limits", "runtime", "variables", "actions")
REFERENCE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
VARIABLE_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}
PYTHON = ">=3.11"
MAX_MANIFEST = 256 * 1024
MAX_VERSION = 100
MAX_LABELS, MAX_LABEL = 20, 50


@dataclass
class Manifest:
    """A `skill.toml`, read as far as it could be."""

    version: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    requires: dict[str, str] = field(default_factory=dict[str, str])
    capabilities: Capabilities = field(default_factory=Capabilities)
    python: str = PYTHON
    variables: tuple[Variable, ...] = ()
    actions: tuple[Action, ...] = ()


def parse_manifest(
    files: Mapping[str, bytes], findings: Findings, executables: Collection[str] = ()
) -> Manifest:
    """Read `skill.toml` among a skill's files; what cannot be read becomes a finding."""
    text = decode(files[FILE], FILE, findings)
    if text is None:
        return Manifest()
    try:
        document = parse_toml(text, MAX_MANIFEST)
    except ValueError as error:
        message = f"It is not TOML: {str(error)[:200]}."
        findings.error("toml-invalid", FILE, message, "Mend the line; see https://toml.io.", line_of(error))
        return Manifest()
    return _read(Table(document, (), KeyPlaces(text), findings), files, executables)


def _read(document: Table, files: Mapping[str, bytes], executables: Collection[str]) -> Manifest:
    schema = document.values.get("schema")
    if schema is True or schema != SCHEMA:
        message = f"`schema` is {shown(schema)}."
        document.error("schema-unknown", "schema", message, f"Write `schema = {SCHEMA}` at the top.")
    document.known(*SECTIONS)
    _check_texts(document)
    skill, runtime = document.table("skill"), document.table("runtime")
    skill.known("version", "categories", "tags")
    runtime.known("python")
    capabilities = read_capabilities(document.table("permissions"), document.table("limits"))
    listed = document.table("actions")
    actions = read_actions(listed, files, executables)
    check_pure(listed, actions, capabilities, files)
    python_remedy = f'Write a version specifier like "{PYTHON}".'
    return Manifest(
        version=_version(skill),
        categories=_labels(skill, "categories"),
        tags=_labels(skill, "tags"),
        requires=_requires(document.table("requires")),
        capabilities=capabilities,
        python=runtime.checked("python", PYTHON, SpecifierSet, "python-invalid", python_remedy),
        variables=_variables(document.table("variables")),
        actions=actions,
    )


def _check_texts(document: Table) -> None:
    for key, value in document.values.items():
        if found := next(filter(None, map(control_in, texts_of(value))), None):
            message = f"A text in `{key}` has the control character {found}."
            document.error("text-control", key, message, "Take it out.")


def _version(skill: Table) -> str | None:
    value = skill.values.get("version")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_VERSION or not Version.is_valid(value):
        message = f"{shown(value)} is not a semantic version."
        skill.error("version-invalid", "version", message, 'Write it like "1.2.0".')
        return None
    return value


def _labels(skill: Table, key: str) -> tuple[str, ...]:
    labels = skill.texts(key)
    if len(labels) > MAX_LABELS or not all(0 < len(label.strip()) <= MAX_LABEL for label in labels):
        message = f"`skill.{key}` has {len(labels)} items, or an empty or a long one."
        remedy = f"Give {MAX_LABELS} at most, of 1 to {MAX_LABEL} characters each."
        skill.error("list-long", key, message, remedy)
    return labels


def _requires(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for reference in table.values:
        if not REFERENCE.fullmatch(reference):
            message = f"{shown(reference)} names no skill."
            table.error("requires-name", reference, message, 'Write `"namespace/name" = "^1.0"`.')
            continue
        wanted = table.text(reference)
        try:
            VersionRange.parse(wanted)
        except VersionRangeInvalid as error:
            table.error("requires-range", reference, error.message, str(error.hint))
        found[reference] = wanted
    return found


def _variables(variables: Table) -> tuple[Variable, ...]:
    found: list[Variable] = []
    for name, table in variables.tables():
        table.known("type", "default", "description")
        kind, default = table.text("type"), table.values.get("default")
        if not VARIABLE.fullmatch(name):
            remedy = "Start with a letter; use letters, digits, `_` and `-`."
            table.error("variable-name", "", f"{shown(name)} is no name of a variable.", remedy)
        elif kind not in VARIABLE_TYPES:
            remedy = f"Use one of {', '.join(sorted(VARIABLE_TYPES))}."
            table.error("variable-type", "type", f"The variable {name} has the type {shown(kind)}.", remedy)
        elif default is not None and not _fits(default, kind):
            message = f"The default of {name} is {shown(default)}, which is no {kind}."
            table.error("variable-default", "default", message, "Give a default of the variable's type.")
        else:
            found.append(Variable(name, kind, default, table.text("description")))
    return tuple(found)


def _fits(value: object, kind: str) -> bool:
    """Whether a default is of the type; a boolean is no number, and what JSON cannot say is nothing."""
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return False
    if isinstance(value, float) and not abs(value) < float("inf"):
        return False
    return isinstance(value, VARIABLE_TYPES[kind])
