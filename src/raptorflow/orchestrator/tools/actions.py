"""Running a skill's action: arguments checked, files mounted, the result checked, artefacts kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.context.entries import without_nul
from raptorflow.orchestrator.events import NewEvent, custom
from raptorflow.orchestrator.files.store import FileStore, media_type_of, safe_name, unused_name
from raptorflow.orchestrator.metrics import ACTIONS
from raptorflow.orchestrator.ports import ActionRunner, LoadedSkill
from raptorflow.orchestrator.runs.records import NewFile, SessionFileRef
from raptorflow.orchestrator.tools.definitions import ActionTool
from raptorflow.orchestrator.tools.outcome import ToolOutcome, failed, refused
from raptorflow.orchestrator.tools.schemas import file_inputs, problems
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import VARIABLES

INPUTS = "/workspace/in"
"""Where a sandbox shows the inputs of `SandboxSpec`."""
SKILL_ERROR_EXIT = 2
STDERR_TAIL = 2_000


@dataclass(frozen=True)
class ActionContext:
    """Whose run an action belongs to, and the session's files by name."""

    org_id: UUID
    run_id: UUID
    files: Mapping[str, SessionFileRef]


def effective(loaded: LoadedSkill, policy: Capabilities | None) -> Capabilities:
    """What runs: the manifest's, the grant's and the operator's policy's intersection."""
    granted = loaded.skill.capabilities.intersection(loaded.granted)
    return granted.intersection(policy) if policy else granted


class Actions:
    """Runs actions for one worker.

    Args:
        runner: the sandbox.
        store: where inputs come from and artefacts go.
        python: the interpreter inside, which environments are built on.
        policy: what the operator allows at most; None allows what manifest and grant do.
    """

    def __init__(
        self, runner: ActionRunner, store: FileStore, python: Path, policy: Capabilities | None = None
    ) -> None:
        self._runner = runner
        self._python = python
        self._store = store
        self._policy = policy

    def repeatable(self, tool: ActionTool) -> bool:
        """Whether running it twice does no harm: it can reach nothing outside its sandbox."""
        return not effective(tool.loaded, self._policy).reaches_outside()

    async def run(self, tool: ActionTool, arguments: JsonObject, context: ActionContext) -> ToolOutcome:
        """Run an action with arguments that a model gave."""
        schema = tool.definition.parameters_json_schema
        if found := problems(schema, arguments) or _unknown_files(tool, arguments, context):
            return failed(
                "invalid-arguments",
                f"The arguments do not fit: {'; '.join(found)}.",
                "Call it again with arguments that fit the tool's schema.",
            )
        workplace = await asyncio.to_thread(self._store.workplace)
        try:
            result = await self._runner.run(await self._spec(tool, arguments, context, workplace))
            ACTIONS.labels(tool.loaded.skill.name, result.status).inc()
            return await self._outcome(tool, result, context)
        except RaptorFlowError as error:
            return refused(error)
        finally:
            await asyncio.to_thread(self._store.clear, workplace)

    async def _spec(
        self, tool: ActionTool, arguments: JsonObject, context: ActionContext, workplace: Path
    ) -> SandboxSpec:
        inputs: dict[str, Path] = {}
        values = dict(arguments)
        for name in file_inputs(tool.action.input_schema):
            if name in values:
                file = context.files[str(values[name])]
                inputs[file.name] = await self._store.local(file)
                values[name] = f"{INPUTS}/{file.name}"
        loaded = tool.loaded
        allowed = effective(loaded, self._policy)
        return SandboxSpec(
            command=tool.action.command,
            skill_dir=loaded.skill_dir,
            env_dir=loaded.env_dir,
            python=self._python,
            stdin=dumps(values).encode(),
            inputs=inputs,
            env={VARIABLES: dumps(loaded.skill.defaults())},
            limits=allowed.limits,
            reach=allowed,
            declared=loaded.skill.capabilities,
            tenant=str(context.org_id),
            skill=f"{loaded.ref}@{loaded.version}",
            run_id=str(context.run_id),
            artifacts_dir=workplace,
            pure=tool.action.pure,
        )

    async def _outcome(self, tool: ActionTool, result: SandboxResult, context: ActionContext) -> ToolOutcome:
        facts = _facts(tool, result)
        error, output = _read(tool, result)
        if error:
            code, message, hint = error["code"], error["message"], error.get("hint")
            told = failed(code, message, hint, **facts)
            return ToolOutcome(told.content, "error", told.facts, _timings(result))
        watch = Stopwatch()
        files, events = await self._artifacts(result, context)
        facts["artifacts"] = [_announced(file) for file in files]
        content = dumps({**output, "artifacts": [file.name for file in files]} if files else output)
        timings = _timings(result) | {"artifacts_ms": watch.elapsed_ms()}
        facts["output"] = output
        return ToolOutcome(content, "ok", facts, timings, events=tuple(events), files=tuple(files))

    async def _artifacts(
        self, result: SandboxResult, context: ActionContext
    ) -> tuple[list[NewFile], list[NewEvent]]:
        taken = set(context.files)
        files: list[NewFile] = []
        for artifact in result.artifacts:
            name = unused_name(safe_name(artifact.name), taken)
            taken.add(name)
            stored = await self._store.keep(context.org_id, artifact.path)
            media_type = artifact.media_type or media_type_of(name)
            files.append(NewFile(new_id(), name, stored.size, stored.sha256, media_type, stored.blob_key))
        return files, [custom("artifact", _announced(file)) for file in files]


def _unknown_files(tool: ActionTool, arguments: JsonObject, context: ActionContext) -> list[str]:
    """File arguments that name no file; the schema says nothing of names while the session has no file."""
    named = [name for name in file_inputs(tool.action.input_schema) if name in arguments]
    unknown = [name for name in named if str(arguments[name]) not in context.files]
    return [f"{name}: there is no file {arguments[name]}" for name in unknown]


def _announced(file: NewFile) -> JsonObject:
    return {
        "id": str(file.file_id),
        "name": file.name,
        "size": file.size,
        "media_type": file.media_type,
        "url": f"/api/v1/orchestrator/files/{file.file_id}/content",
    }


def _timings(result: SandboxResult) -> JsonObject:
    return {"wall_ms": result.wall_ms, "start_ms": result.start_ms}


def _facts(tool: ActionTool, result: SandboxResult) -> JsonObject:
    return {
        "skill": tool.loaded.skill.name,
        "version": tool.loaded.version,
        "action": tool.action.name,
        "sandbox": {
            "driver": result.driver,
            "status": result.status,
            "wall_ms": result.wall_ms,
            "exit_code": result.exit_code,
            "cpu_ms": result.cpu_ms,
            "peak_memory_bytes": result.peak_memory_bytes,
            "weakened": list(result.weakened),
        },
    }


def _read(tool: ActionTool, result: SandboxResult) -> tuple[JsonObject | None, JsonObject]:
    """The skill's or the sandbox's error, or else the output."""
    if result.status == "ok":
        return _checked(tool, _object(result.stdout))
    if result.status == "error":
        return _skill_error(tool, result), {}
    return {"code": f"action-{result.status.replace('_', '-')}", "message": _stopped(tool, result)}, {}


def _checked(tool: ActionTool, output: JsonObject | None) -> tuple[JsonObject | None, JsonObject]:
    name = f"{tool.loaded.skill.name}'s {tool.action.name}"
    if output is None:
        return {"code": "invalid-output", "message": f"{name} did not print a JSON object."}, {}
    if found := problems(tool.action.output_schema, output):
        return {"code": "invalid-output", "message": f"{name} broke its promise: {'; '.join(found)}."}, {}
    return None, without_nul(output)


def _skill_error(tool: ActionTool, result: SandboxResult) -> JsonObject:
    printed = _object(result.stdout) or {}
    error: Any = printed.get("error")
    if result.exit_code == SKILL_ERROR_EXIT and isinstance(error, dict):
        said = cast(Mapping[str, Any], error)
        told: JsonObject = without_nul({key: str(value) for key, value in said.items() if value})
        return {"code": "action-failed", "message": "The action failed.", **told}
    tail = result.stderr.decode(errors="replace")[-STDERR_TAIL:].replace("\0", " ").strip()
    message = f"{tool.loaded.skill.name}'s {tool.action.name} ended with exit code {result.exit_code}."
    return {"code": "action-failed", "message": f"{message}\n{tail}".strip()}


def _stopped(tool: ActionTool, result: SandboxResult) -> str:
    name = f"{tool.loaded.skill.name}'s {tool.action.name}"
    return f"{name} was stopped ({result.status}){f': {result.message}' if result.message else '.'}"


def _object(printed: bytes) -> JsonObject | None:
    try:
        value = loads(printed)
    except ValueError:
        return None
    return cast(JsonObject, value) if isinstance(value, dict) else None
