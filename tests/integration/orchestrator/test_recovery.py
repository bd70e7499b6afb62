"""What a worker does with a run that another one left in the middle of an action."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec

Piece = str | dict[int, DeltaToolCall]
SERVICE_TOML = """\
schema = 1
[permissions]
services = { mail = ["send"] }
[actions.send]
description = "Send a mail."
command = ["python", "send.py"]
"""


class Runner:
    """Counts actions; the first never ends when told so."""

    def __init__(self, *, blocks: bool) -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self._blocks = blocks

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        self.runs += 1
        self.begun.set()
        if self._blocks:
            await asyncio.Event().wait()
        return SandboxResult("ok", "test", exit_code=0, stdout=b'{"answer": "done"}')


@pytest.fixture
def mailer(tmp_path: Path) -> FolderSkills:
    folder = tmp_path / "mailer"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: mailer\ndescription: Sends mails.\n---\nSend.\n")
    (folder / "skill.toml").write_text(SERVICE_TOML)
    (folder / "send.py").write_text("")
    return FolderSkills([folder])


def calls_once(skill: str, action: str, arguments: str) -> FunctionModel:
    """Loads a skill, calls its action, answers."""

    async def play(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[Piece]:
        results = [
            part
            for message in messages
            if isinstance(message, ModelRequest)
            for part in message.parts
            if isinstance(part, ToolReturnPart)
        ]
        if not results:
            yield {0: DeltaToolCall("load_skill", f'{{"name": "{skill}"}}', tool_call_id="c")}
        elif len(results) == 1:
            yield {0: DeltaToolCall(f"{skill}__{action}", arguments, tool_call_id="c")}
        else:
            yield f"It says: {results[-1].model_response_str()}"

    return FunctionModel(stream_function=play, model_name="once")


async def crash(worker: Any) -> None:
    """End a worker as a kill does: it gives nothing back and notes nothing."""
    tasks = [*worker._tasks, *(active.task for active in worker._active.values())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def interrupted(house: Any, model: FunctionModel, skills: FolderSkills) -> tuple[list[JsonObject], int]:
    """The events of a run whose first worker died in its action, and how often the second one ran it."""
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Do it")
    first, second = Runner(blocks=True), Runner(blocks=False)
    dying = await house.start_worker(model, skills=skills, runner=first)
    async with asyncio.timeout(10):
        await first.begun.wait()
    house.workers.remove(dying)
    await crash(dying)
    await house.start_worker(model, skills=skills, runner=second)
    return await house.ended(person, run_id), second.runs


async def test_an_action_with_reach_outside_is_not_repeated(house: Any, mailer: FolderSkills) -> None:
    events, repeated = await interrupted(house, calls_once("mailer", "send", "{}"), mailer)
    assert repeated == 0
    unknown = next(event["value"] for event in events if event.get("name") == "step-unknown")
    assert unknown["name"] == "mailer__send"
    assert unknown["repeated"] is False
    step = next(e for e in events if e["type"] == "STEP_FINISHED" and e["name"] == "mailer__send")
    assert step["status"] == "unknown"
    answer = next(event["content"] for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert "outcome of this call is unknown" in answer


async def test_an_action_without_is_made_again(house: Any, skill_folder: Path) -> None:
    model = calls_once("word-counter", "echo", '{"phrase": "x"}')
    events, repeated = await interrupted(house, model, FolderSkills([skill_folder]))
    assert repeated == 1
    unknown = next(event["value"] for event in events if event.get("name") == "step-unknown")
    assert unknown["repeated"] is True
    assert events[-1]["type"] == "RUN_FINISHED"
    numbers = [event["seq"] for event in events if "seq" in event]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_loaded_skills_outlive_the_turn(house: Any, skill_folder: Path) -> None:
    await house.start_worker(calls_once("word-counter", "echo", '{"phrase": "x"}'))
    person = await house.person()
    session_id = await house.session(person)
    await house.ended(person, await house.send(person, session_id, "Do it"))
    async with house.http(person) as http:
        detail = (await http.get(f"/api/v1/orchestrator/sessions/{session_id}")).json()
    assert [skill["name"] for skill in detail["state"]["skills"]] == ["word-counter"]
    offered: list[str] = []

    async def looks(_: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        offered.extend(tool.name for tool in info.function_tools)
        yield "Seen."

    await house.workers.pop().stop()
    await house.start_worker(FunctionModel(stream_function=looks, model_name="looks"))
    await house.ended(person, await house.send(person, session_id, "And now?"))
    assert "word-counter__echo" in offered


async def test_a_skill_that_is_gone_leaves_the_session(house: Any) -> None:
    await house.start_worker(calls_once("word-counter", "echo", '{"phrase": "x"}'))
    person = await house.person()
    session_id = await house.session(person)
    await house.ended(person, await house.send(person, session_id, "Do it"))
    await house.workers.pop().stop()

    async def answers(_: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        yield ", ".join(tool.name for tool in info.function_tools)

    model = FunctionModel(stream_function=answers, model_name="answers")
    await house.start_worker(model, skills=FolderSkills([]))
    events = await house.ended(person, await house.send(person, session_id, "And now?"))
    gone = next(event["value"] for event in events if event.get("name") == "skill-gone")
    assert gone["skill"] == "word-counter"
    snapshot = next(event["snapshot"] for event in events if event["type"] == "STATE_SNAPSHOT")
    assert snapshot == {"skills": []}
    assert "word-counter" not in next(e["content"] for e in events if e["type"] == "TEXT_MESSAGE_END")


async def test_an_unexpected_failure_ends_the_run_at_once(house: Any) -> None:
    async def breaks(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        yield "x"
        raise ZeroDivisionError

    await house.start_worker(FunctionModel(stream_function=breaks, model_name="breaks"))
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Do it")
    events = await house.ended(person, run_id)
    assert events[-1]["code"] == "unexpected-failure"
    run = await house.run_of(person, run_id)
    assert (run["status"], run["attempt"]) == ("failed", 1)


async def test_a_run_that_never_answers_is_ended(make_house: Any) -> None:
    house = await make_house(max_steps=6)

    async def loops(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        yield {0: DeltaToolCall("search_skills", '{"query": "again"}', tool_call_id="c")}

    await house.start_worker(FunctionModel(stream_function=loops, model_name="loops"))
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Do it")
    events = await house.ended(person, run_id)
    assert events[-1]["code"] == "too-many-steps"
