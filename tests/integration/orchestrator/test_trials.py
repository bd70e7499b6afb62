"""Trials: one action of an installed skill, run in the real sandbox without a model."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec

Piece = str | dict[int, DeltaToolCall]
API = "/api/v1/orchestrator"
ECHO: JsonObject = {"skill": "word-counter", "action": "echo", "arguments": {"phrase": "hello"}}


async def unasked(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    yield "A model was asked."


@pytest.fixture
async def worked_house(house: Any) -> Any:
    """With a worker whose model nobody is to ask."""
    await house.start_worker(FunctionModel(stream_function=unasked, model_name="unasked"))
    return house


async def begin(house: Any, person: Any, trial: JsonObject) -> JsonObject:
    async with house.http(person) as http:
        answer = await http.post(f"{API}/trials", json=trial)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def tried(house: Any, person: Any, trial: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """A trial's run at its end, and its events."""
    run_id = (await begin(house, person, trial))["id"]
    events = await house.ended(person, UUID(run_id))
    return await house.run_of(person, UUID(run_id)), events


@pytest.mark.parametrize("skill", ["word-counter", "local/word-counter"])
async def test_an_action_is_run_without_a_model(worked_house: Any, skill: str) -> None:
    before = requests_counted()
    person = await worked_house.person()
    run, events = await tried(worked_house, person, {**ECHO, "skill": skill})
    assert (run["status"], run["kind"], run["model"], run["usage"]) == ("succeeded", "trial", None, {})
    assert (run["session_title"], run["question"]) == (
        f"{skill}: echo",
        f'{skill} echo {{"phrase":"hello"}}',
    )
    names = [(step["kind"], step["name"]) for step in run["steps"]]
    assert [name for kind, name in names if kind == "tool"] == ["load_skill", "word-counter__echo"]
    assert {name for kind, name in names if kind == "model"} == {"direct"}
    step = next(step for step in run["steps"] if step["name"] == "word-counter__echo")
    assert step["input"]["arguments"] == {"phrase": "hello"}
    assert step["output"]["output"] == {"answer": "hello"}
    assert step["output"]["sandbox"]["status"] == "ok"
    text = next(event["content"] for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert text == "hello\n(from the skill word-counter 1.2.0)"
    assert events[0]["input"]["messages"][0]["content"] == run["question"]
    assert requests_counted() == before


def requests_counted() -> float:
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    return sum("direct" in sample.labels.values() for sample in samples if "tokens" in sample.name)


async def test_a_file_goes_in_and_artefacts_come_out(worked_house: Any) -> None:
    person = await worked_house.person()
    file = await worked_house.upload(person, "poem.txt", b"a rose is a rose is a rose")
    arguments = {"file": "poem.txt", "top": 1}
    trial = {"skill": "word-counter", "action": "count", "arguments": arguments, "files": [file["id"]]}
    run, events = await tried(worked_house, person, trial)
    assert run["status"] == "succeeded"
    artifact = next(event["value"] for event in events if event.get("name") == "artifact")
    async with worked_house.http(person) as http:
        assert (await http.get(artifact["url"])).text == "a"
    text = next(event["content"] for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert text.startswith("8 words\nFiles: top.txt")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [({}, "phrase"), ({"phrase": 7}, "string"), ({"phrase": None}, "null")],
)
async def test_arguments_that_do_not_fit_end_it_with_the_tools_error(
    worked_house: Any, arguments: JsonObject, names: str
) -> None:
    run, events = await tried(worked_house, await worked_house.person(), {**ECHO, "arguments": arguments})
    assert (run["status"], run["error"]["code"]) == ("failed", "invalid-arguments")
    assert names in run["error"]["message"]
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "invalid-arguments")
    assert events[-1]["hint"]


async def test_a_file_that_is_not_there_ends_it_with_the_tools_error(worked_house: Any) -> None:
    trial = {"skill": "word-counter", "action": "count", "arguments": {"file": "none.txt"}}
    run, _ = await tried(worked_house, await worked_house.person(), trial)
    assert run["error"]["code"] == "invalid-arguments"
    assert "there is no file none.txt" in run["error"]["message"]


async def test_an_actions_own_error_ends_it(worked_house: Any) -> None:
    person = await worked_house.person()
    file = await worked_house.upload(person, "image.png", b"\xff\xfe\x00")
    arguments = {"file": "image.png"}
    trial = {"skill": "word-counter", "action": "count", "arguments": arguments, "files": [file["id"]]}
    run, events = await tried(worked_house, person, trial)
    assert run["error"] == {"code": "not-text", "message": "This is no text."}
    assert events[-1]["hint"] == "Send UTF-8."


async def test_what_is_not_there_is_not_tried(worked_house: Any) -> None:
    person, stranger = await worked_house.person(), await worked_house.person()
    theirs = await worked_house.upload(stranger, "secret.txt", b"x")
    async with worked_house.http(person) as http:
        refused: list[tuple[JsonObject, int, str]] = [
            ({"skill": "mailer"}, 404, "not-found"),
            ({"action": "send"}, 404, "action-not-found"),
            ({"files": [theirs["id"]]}, 404, "file-not-found"),
            ({"arguments": []}, 422, "invalid-input"),
            ({"arguments": {"phrase": "x" * 300_000}}, 413, "message-too-large"),
        ]
        for change, status, code in refused:
            answer = await http.post(f"{API}/trials", json=ECHO | change)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert (await http.get(f"{API}/runs")).json() == []


async def test_a_skill_that_is_gone_meanwhile_ends_it(house: Any) -> None:
    person = await house.person()
    run_id = UUID((await begin(house, person, ECHO))["id"])
    await house.start_worker(skills=FolderSkills([]))
    assert (await house.ended(person, run_id))[-1]["code"] == "not-found"


async def test_trials_are_not_among_the_conversations(worked_house: Any) -> None:
    person = await worked_house.person()
    chat = await worked_house.session(person)
    run, _ = await tried(worked_house, person, ECHO)
    path = f"{API}/sessions/{run['session_id']}"
    async with worked_house.http(person) as http:
        assert [session["id"] for session in (await http.get(f"{API}/sessions")).json()] == [str(chat)]
        listed = (await http.get(f"{API}/runs")).json()
        assert [(found["kind"], found["skills"]) for found in listed] == [("trial", ["word-counter"])]
        answer = await http.post(f"{path}/messages", json={"text": "Go on"})
        assert (answer.status_code, answer.json()["code"]) == (404, "session-not-found")
        assert (await http.get(path)).json()["kind"] == "trial"
        assert len((await http.get(f"{path}/history")).json()["runs"]) == 1
        assert (await http.delete(path)).status_code == 204
        assert (await http.get(f"{API}/runs")).json() == []


class Runner:
    """Never ends the first time."""

    def __init__(self, sandbox: Any) -> None:
        self._sandbox = sandbox
        self.begun, self.runs = asyncio.Event(), 0

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        self.runs += 1
        self.begun.set()
        if self.runs == 1:
            await asyncio.Event().wait()
        return await self._sandbox.run(spec)


async def test_a_trial_outlives_its_worker_and_can_be_cancelled(make_house: Any) -> None:
    house = await make_house(drain_seconds=0.0)
    runner = Runner(house.sandbox)
    first = await house.start_worker(runner=runner)
    person = await house.person()
    run_id = UUID((await begin(house, person, ECHO))["id"])
    await asyncio.wait_for(runner.begun.wait(), 10)
    house.workers.remove(first)
    await first.stop()
    await house.start_worker(runner=runner)
    events = await house.ended(person, run_id)
    assert events[-1]["type"] == "RUN_FINISHED"
    assert runner.runs == 2
    blocked = Runner(house.sandbox)
    await house.workers.pop().stop()
    await house.start_worker(runner=blocked)
    run_id = UUID((await begin(house, person, ECHO))["id"])
    await asyncio.wait_for(blocked.begun.wait(), 10)
    async with house.http(person) as http:
        await http.post(f"{API}/runs/{run_id}/cancel")
    assert (await house.ended(person, run_id))[-1]["code"] == "run-cancelled"
