"""A skill, read: what `SKILL.md` and `skill.toml` say, and the files beside them."""

from dataclasses import dataclass, field

from raptorflow.base.json import JsonObject
from raptorflow.skills.capabilities import Capabilities

VARIABLES = "RAPTORFLOW_VARIABLES"
"""The environment variable by which an action gets its variables, one JSON object."""


@dataclass(frozen=True)
class SkillFile:
    """One file of a skill: its path relative to the skill's folder, with `/`."""

    path: str
    size: int
    sha256: str
    executable: bool


@dataclass(frozen=True)
class Action:
    """A typed entry point: JSON on stdin, JSON on stdout.

    Attributes:
        name: unique in the skill.
        description: what it does, for the model that may call it.
        command: what to run in the skill's folder.
        input_schema: JSON Schema (draft 2020-12) of the input object.
        output_schema: JSON Schema of the output object.
        pure: it declares that it only computes, and may be run where nothing else can be done.
    """

    name: str
    description: str
    command: tuple[str, ...]
    input_schema: JsonObject
    output_schema: JsonObject
    pure: bool = False

    def file_inputs(self) -> tuple[str, ...]:
        """Names of the top-level inputs that are files (`"format": "file"`)."""
        properties: dict[str, JsonObject] = self.input_schema.get("properties", {})
        return tuple(name for name, schema in properties.items() if schema.get("format") == "file")


@dataclass(frozen=True)
class Variable:
    """What a user may customise."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    description: str = ""


@dataclass(frozen=True)
class Skill:
    """A valid skill.

    Attributes:
        version: semver; `0.0.0+` and twelve digits of the digest for a bare `SKILL.md`.
        body: the instructions, Markdown without the frontmatter.
        requires: skills this one builds on, each with a version range.
        python: the version specifier of its scripts.
        digest: `sha256:` of the whole tree.
    """

    name: str
    description: str
    version: str
    body: str
    digest: str
    license: str | None = None
    compatibility: str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    allowed_tools: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    requires: dict[str, str] = field(default_factory=dict[str, str])
    capabilities: Capabilities = field(default_factory=Capabilities)
    actions: tuple[Action, ...] = ()
    variables: tuple[Variable, ...] = ()
    python: str = ">=3.11"
    files: tuple[SkillFile, ...] = ()
    has_manifest: bool = False

    def defaults(self) -> dict[str, str | int | float | bool]:
        """The variables that have a default, by name: what an action gets that nobody customised."""
        return {each.name: each.default for each in self.variables if each.default is not None}

    def action(self, name: str) -> Action | None:
        """The action of that name."""
        return next((action for action in self.actions if action.name == name), None)
