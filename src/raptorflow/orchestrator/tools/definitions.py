"""The tools as a model sees them: four of our own, and each loaded skill's actions."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic_ai.tools import ToolDefinition

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.ports import LoadedSkill
from raptorflow.orchestrator.tools.schemas import with_files
from raptorflow.skills.model import Action

SEARCH, LOAD, UNLOAD, READ_FILE = "search_skills", "load_skill", "unload_skill", "read_skill_file"
SEPARATOR = "__"
# OpenAI and Anthropic: ^[a-zA-Z0-9_-]{1,64}$
LONGEST_NAME = 64
DIGEST_DIGITS = 8


@dataclass(frozen=True)
class ActionTool:
    """An action of a loaded skill as a tool."""

    definition: ToolDefinition
    loaded: LoadedSkill
    action: Action


def _tool(name: str, description: str, inputs: dict[str, str]) -> ToolDefinition:
    schema: JsonObject = {
        "type": "object",
        "properties": {
            key: {"type": "string", "minLength": 1, "description": told} for key, told in inputs.items()
        },
        "required": list(inputs),
        "additionalProperties": False,
    }
    return ToolDefinition(name=name, description=description, parameters_json_schema=schema)


_SKILL = {"name": "The skill's name."}
OWN_TOOLS: tuple[ToolDefinition, ...] = (
    _tool(SEARCH, "Find skills that fit what is wanted.", {"query": "What is wanted, in plain words."}),
    _tool(LOAD, "Load an installed skill: its instructions and its tools.", _SKILL),
    _tool(UNLOAD, "Unload a skill that is of no more use.", _SKILL),
    _tool(READ_FILE, "Read a text file of a loaded skill.", {**_SKILL, "path": "The file's path."}),
)


def tool_name(skill: str, action: str) -> str:
    """`<skill>__<action>`; a longer name than providers take is cut and kept apart by a digest."""
    name = f"{skill}{SEPARATOR}{action}".replace(".", "-")
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST_DIGITS]
    return f"{name[: LONGEST_NAME - DIGEST_DIGITS - 1]}-{digest}"


def action_tools(skills: Iterable[LoadedSkill], files: Sequence[str]) -> dict[str, ActionTool]:
    """The actions of loaded skills by their tool names, in the order of activation.

    Args:
        skills: loaded skills.
        files: the names of the session's files, which file inputs are narrowed to.
    """
    tools: dict[str, ActionTool] = {}
    for loaded in skills:
        for action in loaded.skill.actions:
            name = tool_name(loaded.skill.name, action.name)
            definition = ToolDefinition(
                name=name,
                description=action.description,
                parameters_json_schema=with_files(action.input_schema, files),
            )
            tools[name] = ActionTool(definition, loaded, action)
    return tools
