"""The tools of one run: what the model is offered at each step, and what happens when it calls one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

from pydantic_ai.tools import ToolDefinition

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import NotFound, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.context.active import ActiveSkills
from raptorflow.orchestrator.events import NewEvent, custom, state_snapshot
from raptorflow.orchestrator.metrics import SKILL_LOADS
from raptorflow.orchestrator.ports import LoadedSkill, SkillSource
from raptorflow.orchestrator.runs.records import NewFile, SessionFileRef, TakenRun
from raptorflow.orchestrator.tools.actions import ActionContext, Actions
from raptorflow.orchestrator.tools.definitions import (
    LOAD,
    OWN_TOOLS,
    READ_FILE,
    SEARCH,
    UNLOAD,
    ActionTool,
    action_tools,
    tool_name,
)
from raptorflow.orchestrator.tools.outcome import ToolOutcome, failed, refused
from raptorflow.orchestrator.tools.schemas import problems

SEARCH_LIMIT = 5

_Own = Callable[[JsonObject], Awaitable[ToolOutcome]]


class Toolbox:
    """One run's tools.

    Args:
        run: whose.
        skills: where skills come from.
        actions: what runs their actions.
        most_active: loaded skills of a session; beyond it the least recently used leaves.
    """

    def __init__(self, run: TakenRun, skills: SkillSource, actions: Actions, most_active: int) -> None:
        self._org_id: UUID = run.ref.org_id
        self._run_id: UUID = run.ref.run_id
        self._skills = skills
        self._actions = actions
        self._most_active = most_active
        self._files = {file.name: file for file in run.files}
        self._loaded: dict[str, LoadedSkill] = {}
        self._tools: dict[str, ActionTool] | None = None
        self.active = ActiveSkills.of(run.state)
        self._own: dict[str, _Own] = {
            SEARCH: self._search,
            LOAD: self._load,
            UNLOAD: self._unload,
            READ_FILE: self._read_file,
        }

    async def open(self) -> list[NewEvent]:
        """Bring back the session's loaded skills; those that are no longer installed leave, and are named."""
        events: list[NewEvent] = []
        for name in self.active.names():
            try:
                self._loaded[name] = await self._skills.load(self._org_id, name)
            except NotFound as error:
                self.active = self.active.without([name])
                events.append(custom("skill-gone", {"skill": name, "message": error.message}))
        return [*events, state_snapshot(self.active.state())] if events else []

    def skills(self) -> list[LoadedSkill]:
        """The loaded skills in the order of their activation."""
        return [self._loaded[name] for name in self.active.names()]

    def definitions(self) -> list[ToolDefinition]:
        """What the model is offered now; what changes least comes first."""
        return [*OWN_TOOLS, *(tool.definition for tool in self._action_tools().values())]

    def repeatable(self, name: str) -> bool:
        """Whether a call may be made again when nobody knows how the first one ended."""
        tool = self._action_tools().get(name)
        return tool is None or self._actions.repeatable(tool)

    async def call(self, name: str, arguments: str | JsonObject | None) -> ToolOutcome:
        """Make a call, whatever the model put into it."""
        try:
            values = _arguments(arguments)
        except ValueError as error:
            return failed(
                "invalid-arguments", f"The arguments are not a JSON object: {error}", "Call it again."
            )
        if own := self._own.get(name):
            return await self._call_own(name, own, values)
        tool = self._action_tools().get(name)
        if tool is None:
            return failed("unknown-tool", f"There is no tool {name}.", "Search and load the skill first.")
        outcome = await self._actions.run(tool, values, self._context())
        self.active = self.active.used(tool.loaded.skill.name)
        self._add_files(outcome.files)
        return outcome

    async def _call_own(self, name: str, own: _Own, values: JsonObject) -> ToolOutcome:
        schema = next(tool.parameters_json_schema for tool in OWN_TOOLS if tool.name == name)
        if found := problems(schema, values):
            return failed("invalid-arguments", f"The arguments do not fit: {'; '.join(found)}.")
        try:
            return await own(values)
        except RaptorFlowError as error:
            return refused(error)

    async def _search(self, values: JsonObject) -> ToolOutcome:
        watch = Stopwatch()
        found = await self._skills.search(self._org_id, values["query"], SEARCH_LIMIT)
        hits = [
            {
                "name": hit.name,
                "version": hit.version,
                "description": hit.description,
                "score": hit.score,
                "words": hit.words,
                "similarity": hit.similarity,
                "installed": hit.installed,
            }
            for hit in found.hits
        ]
        timings: JsonObject = {"search_ms": watch.elapsed_ms()}
        return ToolOutcome(dumps({"skills": hits}), facts={"found": len(hits)}, timings=timings)

    async def _load(self, values: JsonObject) -> ToolOutcome:
        watch = Stopwatch()
        loaded = await self._skills.load(self._org_id, values["name"])
        name = loaded.skill.name
        self.active, leaving = self.active.activated(loaded, self._most_active)
        self._loaded[name] = loaded
        self._tools = None
        SKILL_LOADS.labels(name).inc()
        actions = [tool_name(name, action.name) for action in loaded.skill.actions]
        content: JsonObject = {
            "loaded": name,
            "version": loaded.version,
            "tools": actions,
            "unloaded": leaving,
        }
        return ToolOutcome(
            dumps(content),
            facts={"skill": name, "version": loaded.version, "digest": loaded.digest, "unloaded": leaving},
            timings={"load_ms": watch.elapsed_ms()},
            active=self.active,
            events=(*_approved(loaded), state_snapshot(self.active.state())),
        )

    async def _unload(self, values: JsonObject) -> ToolOutcome:
        name = values["name"]
        if name not in self.active.names():
            return failed("skill-not-loaded", f"{name} is not loaded.")
        self.active = self.active.without([name])
        self._tools = None
        events = (state_snapshot(self.active.state()),)
        return ToolOutcome(
            dumps({"unloaded": name}), facts={"skill": name}, active=self.active, events=events
        )

    async def _read_file(self, values: JsonObject) -> ToolOutcome:
        name, path = values["name"], values["path"]
        if name not in self.active.names():
            return failed("skill-not-loaded", f"{name} is not loaded.", "Load it first.")
        content = await self._skills.read_file(self._org_id, name, path)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return failed("not-text", f"{path} of {name} is not UTF-8 text ({len(content):,} bytes).")
        return ToolOutcome(text, facts={"skill": name, "path": path, "bytes": len(content)})

    def _context(self) -> ActionContext:
        return ActionContext(self._org_id, self._run_id, self._files)

    def _action_tools(self) -> dict[str, ActionTool]:
        if self._tools is None:
            self._tools = action_tools(self.skills(), list(self._files))
        return self._tools

    def _add_files(self, files: Sequence[NewFile]) -> None:
        """Artefacts may be the next action's input."""
        for file in files:
            self._files[file.name] = SessionFileRef(
                file.file_id, file.name, file.size, file.sha256, file.media_type, file.blob_key
            )
        if files:
            self._tools = None


def _approved(loaded: LoadedSkill) -> list[NewEvent]:
    """`allowed-tools` pre-approves tools (agentskills.io specification); the approval is put on record."""
    tools = list(loaded.skill.allowed_tools)
    return [custom("tools-approved", {"skill": loaded.skill.name, "tools": tools})] if tools else []


def _arguments(arguments: str | JsonObject | None) -> JsonObject:
    value: Any = loads(arguments or "{}") if isinstance(arguments, str | None) else arguments
    if not isinstance(value, dict):
        raise ValueError(f"it is a {type(value).__name__}")
    return cast(JsonObject, value)
