"""Retries and edited messages: what was replaced leaves the conversation, whatever was going on in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.folder_skills import FolderSkill, FolderSkills
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec

Piece = str | dict[int, DeltaToolCall]
API = "/api/v1/orchestrator"
FOREVER_SECONDS = 600.0
AT_ONCE = 8
LOOK_SECONDS = 0.02
_SUPERSEDE = text("update sessions set superseded = '{[1,2)}' where id = :id")
_WAITING = text("select count(*) from pg_locks where not granted")


class Talker:
    """Answers a question with its text, except those that it is to wait on; remembers every prompt."""

    def __init__(self, *, waits_on: str | None = None) -> None:
        self.prompts: list[list[str]] = []
        self.tools: list[list[str]] = []
        self.waiting = asyncio.Event()
        self._waits_on = waits_on

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(stream_function=self._play, model_name="talker")

    async def _play(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        texts = list(texts_of(messages))
        self.prompts.append(texts)
        self.tools.append([tool.name for tool in info.function_tools])
        if texts[-1] == self._waits_on:
            yield "Wait"
            self.waiting.set()
            await asyncio.sleep(FOREVER_SECONDS)
        yield f"Answer to {texts[-1]}"


def texts_of(messages: Sequence[ModelMessage]) -> Any:
    for message in messages:
        if isinstance(message, ModelRequest):
            yield from (str(part.content) for part in message.parts if isinstance(part, UserPromptPart))
        elif message.text:
            yield message.text


def loads_then_echoes(arguments: str = '{"phrase": "x"}', action: str = "echo") -> FunctionModel:
    """Loads the word counter, runs one of its actions, answers; answers at once when it is to talk."""

    async def play(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[Piece]:
        calls = sum(len(message.tool_calls) for message in messages if isinstance(message, ModelResponse))
        calls = 2 if list(texts_of(messages))[-1] == "Just talk" else calls
        if calls == 0:
            yield {0: DeltaToolCall("load_skill", '{"name": "word-counter"}', tool_call_id="l")}
        elif calls == 1:
            yield {0: DeltaToolCall(f"word-counter__{action}", arguments, tool_call_id="c")}
        else:
            yield "Done."

    return FunctionModel(stream_function=play, model_name="loads")


async def detail_of(house: Any, person: Any, session_id: UUID) -> JsonObject:
    async with house.http(person) as http:
        return (await http.get(f"{API}/sessions/{session_id}")).json()


async def conversation(house: Any, person: Any, session_id: UUID) -> list[str]:
    return [message["content"] for message in (await detail_of(house, person, session_id))["messages"]]


async def answered(house: Any, person: Any, session_id: UUID, text: str, **extra: Any) -> UUID:
    """Send a message and wait for its run's end."""
    run_id = await house.send(person, session_id, text, **extra)
    assert (await house.ended(person, run_id))[-1]["type"] == "RUN_FINISHED"
    return run_id


async def test_a_retry_takes_the_place_of_the_run(house: Any) -> None:
    talker = Talker()
    await house.start_worker(talker.model)
    person = await house.person()
    session_id = await house.session(person)
    await answered(house, person, session_id, "One")
    second = await answered(house, person, session_id, "Two")
    again = await house.send(person, session_id, "Two", replaces=str(second))
    events = await house.ended(person, again)
    assert talker.prompts[-1] == ["One", "Answer to One", "Two"]
    assert await conversation(house, person, session_id) == ["One", "Answer to One", "Two", "Answer to Two"]
    told = events[0]["input"]
    assert told["messages"] == [{"id": f"{again}.0", "role": "user", "content": "Two"}]
    assert told["forwardedProps"] == {"turn": 3, "replaces": str(second), "files": []}
    old, new = await house.run_of(person, second), await house.run_of(person, again)
    assert (old["status"], old["superseded"], old["replaces"]) == ("succeeded", True, None)
    assert (new["status"], new["superseded"], new["replaces"]) == ("succeeded", False, str(second))


async def test_an_edited_message_takes_all_that_followed_with_it(house: Any, tail: Any) -> None:
    """Sent over a WebSocket; other windows see the new run, and a new window the new conversation alone."""
    talker = Talker()
    await house.start_worker(talker.model)
    person = await house.person()
    session_id = await house.session(person)
    first = await answered(house, person, session_id, "One")
    await answered(house, person, session_id, "Two")
    async with house.socket(person, session_id) as one, house.socket(person, session_id) as two:
        await one.send(dumps({"type": "message", "text": "Uno", "replaces": str(first)}))
        for window in (one, two):
            events = await tail(window)
            started = next(event for event in events if event["type"] == "RUN_STARTED")
            assert started["input"]["forwardedProps"]["replaces"] == str(first)
    assert talker.prompts[-1] == ["Uno"]
    async with house.socket(person, session_id) as late:
        snapshot = loads(await late.recv())
        assert [message["content"] for message in snapshot["messages"]] == ["Uno", "Answer to Uno"]
    await answered(house, person, session_id, "Three")
    assert talker.prompts[-1] == ["Uno", "Answer to Uno", "Three"]


@pytest.mark.parametrize("called", [True, False], ids=["by a call", "by the heartbeat"])
async def test_a_running_run_is_cancelled_before_the_retry_begins(
    house: Any, monkeypatch: pytest.MonkeyPatch, called: bool
) -> None:
    if not called:
        monkeypatch.setattr(house.orchestrator.messages._parts.news, "to_cancel", nothing)
    talker = Talker(waits_on="Long")
    await house.start_worker(talker.model)
    person = await house.person()
    session_id = await house.session(person)
    slow = await house.send(person, session_id, "Long")
    await asyncio.wait_for(talker.waiting.wait(), 10)
    waiting = await house.send(person, session_id, "After it")
    again = await house.send(person, session_id, "Short", replaces=str(slow))
    assert (await detail_of(house, person, session_id))["open_runs"] == [str(again)]
    assert (await house.ended(person, again))[-1]["type"] == "RUN_FINISHED"
    assert (await house.ended(person, slow))[-1]["code"] == "run-cancelled"
    assert [event["seq"] for event in await house.ended(person, waiting)] == [1]
    old, new = await house.run_of(person, slow), await house.run_of(person, again)
    assert (old["status"], (await house.run_of(person, waiting))["status"]) == ("cancelled", "cancelled")
    assert old["finished_at"] <= new["started_at"]
    assert talker.prompts[-1] == ["Short"]


async def nothing(_: Sequence[UUID]) -> None:
    """A call that Valkey lost."""


async def test_a_waiting_run_ends_at_once_without_a_worker(house: Any) -> None:
    person = await house.person()
    session_id = await house.session(person)
    first = await house.send(person, session_id, "One")
    again = await house.send(person, session_id, "One", replaces=str(first))
    events = await house.ended(person, first)
    assert [(event["seq"], event["code"]) for event in events] == [(1, "run-cancelled")]
    assert (await detail_of(house, person, session_id))["open_runs"] == [str(again)]
    async with house.socket(person, session_id, "?after=0") as newest:
        await house.start_worker(Talker().model)
        assert loads(await newest.recv())["runId"] == str(again)


async def test_of_retries_at_once_one_is_left(house: Any) -> None:
    for _ in range(2):
        await house.start_worker(Talker().model)
    person = await house.person()
    session_id = await house.session(person)
    await answered(house, person, session_id, "One")
    second = await answered(house, person, session_id, "Two")
    retries = await asyncio.gather(
        *(house.send(person, session_id, f"Two {n}", replaces=str(second)) for n in range(AT_ONCE))
    )
    ends = {run_id: (await house.ended(person, run_id))[-1] for run_id in retries}
    runs = {run_id: await house.run_of(person, run_id) for run_id in retries}
    left = [run_id for run_id, run in runs.items() if not run["superseded"]]
    assert len(left) == 1
    assert ends[left[0]]["type"] == "RUN_FINISHED"
    assert runs[left[0]]["turn"] == max(run["turn"] for run in runs.values())
    question = runs[left[0]]["question"]
    texts = await conversation(house, person, session_id)
    assert texts == ["One", "Answer to One", question, f"Answer to {question}"]


async def test_a_key_makes_retrying_twice_the_same_as_once(house: Any) -> None:
    await house.start_worker(Talker().model)
    person = await house.person()
    session_id = await house.session(person)
    first = await answered(house, person, session_id, "One")
    retry = {"replaces": str(first), "idempotency_key": "k"}
    runs = await asyncio.gather(*(house.send(person, session_id, "Uno", **retry) for _ in range(AT_ONCE)))
    assert len(set(runs)) == 1
    await house.ended(person, runs[0])
    await answered(house, person, session_id, "Two")
    assert await house.send(person, session_id, "Uno", **retry) == runs[0]
    texts = await conversation(house, person, session_id)
    assert texts == ["Uno", "Answer to Uno", "Two", "Answer to Two"]


async def test_only_a_run_of_the_session_can_be_replaced(house: Any) -> None:
    person, stranger = await house.person(), await house.person()
    session_id = await house.session(person)
    await house.send(person, session_id, "One")
    other = await house.send(person, await house.session(person), "Elsewhere")
    theirs = await house.send(stranger, await house.session(stranger), "Mine")
    for run_id in (other, theirs, new_id()):
        async with house.http(person) as http:
            message = {"text": "x", "replaces": str(run_id)}
            answer = await http.post(f"{API}/sessions/{session_id}/messages", json=message)
        assert (answer.status_code, answer.json()["code"]) == (404, "run-not-found")
    assert await conversation(house, person, session_id) == ["One"]
    assert (await house.run_of(stranger, theirs))["status"] == "queued"


async def test_what_was_replaced_does_not_shorten_the_history(make_house: Any) -> None:
    house = await make_house(history_turns=1)
    talker = Talker()
    await house.start_worker(talker.model)
    person = await house.person()
    session_id = await house.session(person)
    await answered(house, person, session_id, "One")
    run_id = await answered(house, person, session_id, "Two")
    for _ in range(3):
        run_id = await answered(house, person, session_id, "Two", replaces=str(run_id))
    assert talker.prompts[-1] == ["One", "Answer to One", "Two"]


async def test_the_skills_are_those_that_the_replaced_run_found(house: Any) -> None:
    worker = await house.start_worker(loads_then_echoes())
    person = await house.person()
    session_id = await house.session(person)
    first = await answered(house, person, session_id, "One")
    second = await answered(house, person, session_id, "Two")
    house.workers.remove(worker)
    await worker.stop()
    talker = Talker()
    await house.start_worker(talker.model)
    await answered(house, person, session_id, "Two", replaces=str(second))
    assert "word-counter__echo" in talker.tools[-1]
    await answered(house, person, session_id, "One", replaces=str(first))
    assert "word-counter__echo" not in talker.tools[-1]
    assert (await detail_of(house, person, session_id))["state"] == {}


class SlowSkills(FolderSkills):
    """Loads a skill when it may."""

    def __init__(self, folder: Path) -> None:
        super().__init__([folder])
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def load(self, org_id: UUID, name: str) -> FolderSkill:
        self.asked.set()
        await self.may.wait()
        return await super().load(org_id, name)


class SlowRunner:
    """Runs an action when it may."""

    def __init__(self, sandbox: Any) -> None:
        self._sandbox = sandbox
        self.asked, self.may, self.runs = asyncio.Event(), asyncio.Event(), 0

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        self.runs += 1
        self.asked.set()
        await self.may.wait()
        return await self._sandbox.run(spec)


@pytest.fixture
async def deaf_house(make_house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Workers learn of nothing but by their commits."""
    house = await make_house(heartbeat_seconds=FOREVER_SECONDS, lease_seconds=2 * FOREVER_SECONDS)
    monkeypatch.setattr(house.orchestrator.messages._parts.news, "to_cancel", nothing)
    return house


async def test_a_replaced_run_that_goes_on_loads_nothing_into_the_session(
    deaf_house: Any, skill_folder: Path
) -> None:
    skills = SlowSkills(skill_folder)
    await deaf_house.start_worker(loads_then_echoes(), skills=skills)
    person = await deaf_house.person()
    session_id = await deaf_house.session(person)
    first = await deaf_house.send(person, session_id, "One")
    await asyncio.wait_for(skills.asked.wait(), 10)
    again = await deaf_house.send(person, session_id, "Just talk", replaces=str(first))
    await deaf_house.cancelled_after(person, first, skills.may)
    steps = (await deaf_house.run_of(person, first))["steps"]
    assert [(step["name"], step["status"]) for step in steps[1:2]] == [("load_skill", "finished")]
    assert (await deaf_house.ended(person, again))[-1]["type"] == "RUN_FINISHED"
    assert (await detail_of(deaf_house, person, session_id))["state"] == {}


async def test_a_commit_that_waits_for_the_retry_loads_nothing_either(
    deaf_house: Any, skill_folder: Path
) -> None:
    """The worker's statement began before the retry was committed, and ends after it."""
    skills = SlowSkills(skill_folder)
    await deaf_house.start_worker(loads_then_echoes(), skills=skills)
    person = await deaf_house.person()
    session_id = await deaf_house.session(person)
    run_id = await deaf_house.send(person, session_id, "One")
    await asyncio.wait_for(skills.asked.wait(), 10)
    async with deaf_house.database.system_session() as session:
        await session.execute(_SUPERSEDE, {"id": session_id})
        skills.may.set()
        await until_somebody_waits(session)
    assert (await deaf_house.ended(person, run_id))[-1]["code"] == "run-cancelled"
    assert (await detail_of(deaf_house, person, session_id))["state"] == {}


async def until_somebody_waits(session: AsyncSession) -> None:
    async with asyncio.timeout(10):
        while True:
            if await session.scalar(_WAITING):
                return
            await asyncio.sleep(LOOK_SECONDS)


async def test_a_replaced_runs_artefacts_are_not_the_sessions(deaf_house: Any) -> None:
    runner = SlowRunner(deaf_house.sandbox)
    counts = loads_then_echoes('{"file": "poem.txt"}', "count")
    await deaf_house.start_worker(counts, runner=runner)
    person = await deaf_house.person()
    session_id = await deaf_house.session(person)
    file = await deaf_house.upload(person, "poem.txt", b"a rose is a rose")
    first = await deaf_house.send(person, session_id, "Count", files=[file["id"]])
    await asyncio.wait_for(runner.asked.wait(), 10)
    again = await deaf_house.send(person, session_id, "Count", files=[file["id"]], replaces=str(first))
    await deaf_house.cancelled_after(person, first, runner.may)
    events = await deaf_house.ended(person, again)
    artifact = next(event["value"] for event in events if event.get("name") == "artifact")
    assert artifact["name"] == "top.txt"
    files = (await detail_of(deaf_house, person, session_id))["files"]
    assert {found["id"] for found in files} == {file["id"], artifact["id"]}
    third = await answered(deaf_house, person, session_id, "Count", files=[file["id"]], replaces=str(again))
    files = (await detail_of(deaf_house, person, session_id))["files"]
    assert sorted(found["name"] for found in files) == ["poem.txt", "top.txt"]
    assert {found["run_id"] for found in files} == {None, str(third)}


async def test_a_file_that_the_edited_message_has_not_leaves_the_session(house: Any) -> None:
    person = await house.person()
    session_id = await house.session(person)
    one, two = [await house.upload(person, "data.csv", content) for content in (b"1", b"2")]
    first = await house.send(person, session_id, "Compare", files=[one["id"], two["id"]])
    await house.send(person, session_id, "Just this", files=[two["id"]], replaces=str(first))
    files = (await detail_of(house, person, session_id))["files"]
    assert [(file["id"], file["name"]) for file in files] == [(two["id"], "data.csv")]


async def test_a_replaced_run_of_a_dead_worker_is_not_gone_on_with(house: Any) -> None:
    runner = SlowRunner(house.sandbox)
    dying = await house.start_worker(loads_then_echoes(), runner=runner)
    person = await house.person()
    session_id = await house.session(person)
    first = await house.send(person, session_id, "One")
    await asyncio.wait_for(runner.asked.wait(), 10)
    house.workers.remove(dying)
    tasks = [*dying._tasks, *(active.task for active in dying._active.values())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    again = await house.send(person, session_id, "Again", replaces=str(first))
    talker, other = Talker(), SlowRunner(house.sandbox)
    await house.start_worker(talker.model, runner=other)
    assert (await house.ended(person, again))[-1]["type"] == "RUN_FINISHED"
    assert (await house.ended(person, first))[-1]["code"] == "run-cancelled"
    assert other.runs == 0
    assert talker.prompts == [["Again"]]
    assert talker.tools == [["search_skills", "load_skill", "unload_skill", "read_skill_file"]]
