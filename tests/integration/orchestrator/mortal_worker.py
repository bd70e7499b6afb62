"""A worker that tests kill: notes each step it begins, and takes its time over it.

python mortal_worker.py <settings as JSON>
"""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.valkey import open_valkey
from raptorflow.orchestrator.folder_skills import FolderHits, FolderSkills
from raptorflow.orchestrator.runs.worker import Abilities, RunWorker
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

LONGEST_PAUSE = 0.02
WORDS = 30


class Notes:
    """One line a step begun: the message's marker, the step's number, the time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def begun(self, marker: str, step: int) -> None:
        self._file.write(f"{marker} {step} {time.time()}\n")


async def pause() -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))


class NotedSkills(FolderSkills):
    """Notes searches, whose query is the marker."""

    def __init__(self, folder: Path, notes: Notes) -> None:
        super().__init__([folder])
        self._notes = notes

    async def search(self, org_id: UUID, query: str, limit: int = 5) -> FolderHits:
        self._notes.begun(query, 1)
        await pause()
        return await super().search(org_id, query, limit)


class NotedRunner:
    """Notes actions, whose phrase is the marker."""

    def __init__(self, manager: SandboxManager, notes: Notes) -> None:
        self._manager = manager
        self._notes = notes

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        self._notes.begun(loads(spec.stdin)["phrase"], 5)
        return await self._manager.run(spec)


def model_of(notes: Notes) -> FunctionModel:
    """Searches, loads, echoes, and answers with thirty numbered words."""

    async def play(
        messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
        marker, results = "", 0
        for part in (p for message in messages if isinstance(message, ModelRequest) for p in message.parts):
            if isinstance(part, UserPromptPart):
                marker, results = str(part.content), 0
            results += isinstance(part, ToolReturnPart)
        notes.begun(marker, 2 * results)
        await pause()
        if results == 3:
            for number in range(WORDS):
                yield f"{marker}-{number} "
                await pause()
            return
        name, values = [
            ("search_skills", {"query": marker}),
            ("load_skill", {"name": "word-counter"}),
            ("word-counter__echo", {"phrase": marker}),
        ][results]
        yield {0: DeltaToolCall(name, dumps(values), tool_call_id=f"call-{results}")}

    return FunctionModel(stream_function=play, model_name="mortal")


async def main(given: JsonObject) -> None:
    """Work until killed."""
    settings = OrchestratorSettings.model_validate(given["settings"])
    notes = Notes(Path(given["notes"]))
    database, valkey = Database(given["database"]), open_valkey(given["valkey"])
    runner = NotedRunner(build_manager(SandboxSettings(pool=NONE_READY, allow_supervised=True)), notes)
    skills = NotedSkills(Path(given["skill"]), notes)
    orchestrator = AgentOrchestrator(database, valkey, open_blobs(given["blobs"]), settings, skills)
    worker = RunWorker(orchestrator, Abilities(skills, runner, model_of(notes), sandbox_python()))
    await worker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(loads(sys.argv[1])))
