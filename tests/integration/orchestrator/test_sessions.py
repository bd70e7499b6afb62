"""Conversations renamed, deleted and read again; the list of a user's runs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from sqlalchemy import func, select

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.models import Message, Run, RunEvent

Piece = str | dict[int, DeltaToolCall]
API = "/api/v1/orchestrator"
FOREVER_SECONDS = 600.0
ROUNDS, AT_ONCE = 6, 5


async def answers(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    yield "Yes."


async def never_ends(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    yield "Wait"
    await asyncio.sleep(FOREVER_SECONDS)


def model(function: Any) -> FunctionModel:
    return FunctionModel(stream_function=function, model_name="scripted")


async def get(house: Any, person: Any, path: str, **query: Any) -> Any:
    async with house.http(person) as http:
        answer = await http.get(f"{API}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_session_is_renamed(house: Any) -> None:
    person = await house.person()
    session_id = await house.session(person)
    async with house.http(person) as http:
        answer = await http.patch(f"{API}/sessions/{session_id}", json={"title": "A\0 name"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["title"], answer.json()["kind"]) == ("A\ufffd name", "chat")
        assert (await http.patch(f"{API}/sessions/{session_id}", json={"title": ""})).status_code == 422
    await house.send(person, session_id, "A message does not name it again")
    assert [session["title"] for session in await get(house, person, "/sessions")] == ["A\ufffd name"]


async def test_a_deleted_session_is_gone_and_its_watchers_are_told(house: Any, tail: Any) -> None:
    await house.start_worker(model(never_ends))
    person = await house.person()
    session_id, other = await house.session(person), await house.session(person)
    file = await house.upload(person, "data.csv", b"1")
    running = await house.send(person, session_id, "Go", files=[file["id"]])
    await house.until(person, running, "running")
    waiting = await house.send(person, session_id, "And then")
    watching = [asyncio.create_task(house.ended(person, run)) for run in (running, waiting)]
    async with house.socket(person, session_id) as window, house.http(person) as http:
        assert (await http.delete(f"{API}/sessions/{session_id}")).status_code == 204
        assert (await tail(window))[-1]["code"] == "run-cancelled"
        for watched in watching:
            assert (await asyncio.wait_for(watched, 10))[-1]["code"] == "run-cancelled"
        await window.send(dumps({"type": "message", "text": "Still there?"}))
        for path in (f"/sessions/{session_id}", f"/sessions/{session_id}/history", f"/runs/{running}"):
            assert (await http.get(f"{API}{path}")).status_code == 404
        assert (await http.delete(f"{API}/sessions/{session_id}")).status_code == 404
        assert (await http.get(f"{API}/files/{file['id']}")).status_code == 200
    assert [session["id"] for session in await get(house, person, "/sessions")] == [str(other)]
    assert await get(house, person, "/runs") == []
    await nothing_is_left(house, session_id, [running, waiting])


async def nothing_is_left(house: Any, session_id: UUID, run_ids: list[UUID]) -> None:
    async with house.database.system_session() as session:
        for table, column, ids in (
            (Run, Run.session_id, [session_id]),
            (Message, Message.session_id, [session_id]),
            (RunEvent, RunEvent.run_id, run_ids),
        ):
            query = select(func.count()).select_from(table).where(column.in_(ids))
            assert await session.scalar(query) == 0, table


@pytest.mark.parametrize("called", [True, False], ids=["by a call", "by the heartbeat"])
async def test_the_worker_of_a_deleted_run_is_free_again(
    make_house: Any, monkeypatch: pytest.MonkeyPatch, called: bool
) -> None:
    house = await make_house(concurrency=1)
    if not called:
        monkeypatch.setattr(house.orchestrator.sessions._parts.news, "to_cancel", nothing)
    begun = asyncio.Event()

    async def first_never_ends(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        yield "Yes."
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(FOREVER_SECONDS)

    await house.start_worker(model(first_never_ends))
    person = await house.person()
    session_id = await house.session(person)
    await house.send(person, session_id, "Go")
    await asyncio.wait_for(begun.wait(), 10)
    async with house.http(person) as http:
        assert (await http.delete(f"{API}/sessions/{session_id}")).status_code == 204
    next_one = await house.send(person, await house.session(person), "Next")
    assert (await house.ended(person, next_one))[-1]["type"] == "RUN_FINISHED"


async def nothing(_: object) -> None:
    """A call that Valkey lost."""


async def test_deleting_while_messages_come_and_go_ends_well(house: Any) -> None:
    """Whatever the order, nobody waits for anybody in a circle and nothing is left behind."""
    await house.start_worker(model(answers))
    person = await house.person()
    for _ in range(ROUNDS):
        session_id = await house.session(person)
        first = await house.send(person, session_id, "First")
        async with house.http(person) as http:
            path = f"{API}/sessions/{session_id}"
            messages = [
                {"text": f"{number}", **({"replaces": str(first)} if number % 2 else {})}
                for number in range(AT_ONCE)
            ]
            sent = [http.post(f"{path}/messages", json=message) for message in messages]
            *answers_, deleted = await asyncio.gather(*sent, http.delete(path))
        assert deleted.status_code == 204, deleted.text
        assert {answer.status_code for answer in answers_} <= {202, 404}
        await nothing_is_left(house, session_id, [])


async def test_history_comes_in_pages_of_whole_turns(house: Any) -> None:
    await house.start_worker(model(answers))
    person = await house.person()
    session_id = await house.session(person)
    runs = [await house.send(person, session_id, f"Message {number}") for number in range(5)]
    for run_id in runs:
        await house.ended(person, run_id)
    retried = await house.send(person, session_id, "Message 4 again", replaces=str(runs[4]))
    streamed = [event for event in await house.ended(person, retried) if "seq" in event]
    path = f"/sessions/{session_id}/history"
    newest = await get(house, person, path, limit=2)
    assert texts_of(newest) == ["Message 3", "Message 4 again"]
    assert newest["more"] is True
    last = newest["runs"][-1]
    assert last["events"] == streamed
    assert last["run"]["id"] == str(retried)
    assert last["message"]["id"] == f"{retried}.0"
    before = newest["runs"][0]["run"]["turn"]
    older = await get(house, person, path, limit=3, before=before)
    assert texts_of(older) == ["Message 0", "Message 1", "Message 2"]
    assert older["more"] is False
    assert await get(house, person, path, before=1) == {"runs": [], "more": False}


def texts_of(history: JsonObject) -> list[str]:
    return [turn["message"]["content"] for turn in history["runs"]]


async def test_history_has_what_a_running_run_told_so_far(make_house: Any) -> None:
    house = await make_house(drain_seconds=0.0)
    await house.start_worker(model(never_ends))
    person = await house.person()
    session_id = await house.session(person)
    run_id = await house.send(person, session_id, "Go")
    await house.until(person, run_id, "running")
    turn = (await get(house, person, f"/sessions/{session_id}/history"))["runs"][0]
    assert [event["type"] for event in turn["events"]] == ["RUN_STARTED", "STEP_STARTED"]
    assert (turn["run"]["status"], turn["run"]["last_seq"]) == ("running", 2)


async def test_runs_are_listed_and_filtered(house: Any) -> None:
    await house.start_worker()
    person, other = await house.person(), await house.person()
    session_id = await house.session(person)
    file = await house.upload(person, "poem.txt", b"a rose is a rose")
    question = f"Count the words. {'x' * 300}"
    counted = await house.send(person, session_id, question, files=[file["id"]])
    await house.ended(person, counted)
    await house.workers.pop().stop()
    retried = await house.send(person, session_id, "Count", replaces=str(counted))
    elsewhere = await house.send(person, await house.session(person), "Hello")
    await house.send(other, await house.session(other), "Mine")
    runs = await get(house, person, "/runs")
    assert [run["id"] for run in runs] == [str(elsewhere), str(retried), str(counted)]
    assert [run["superseded"] for run in runs] == [False, False, True]
    first = runs[-1]
    assert (first["question"], first["session_title"]) == (question[:200], question[:80])
    assert (first["skills"], first["kind"], first["status"]) == (["word-counter"], "chat", "succeeded")
    assert runs[0]["skills"] == []
    assert await ids(house, person, status="queued") == [elsewhere, retried]
    assert await ids(house, person, session_id=session_id) == [retried, counted]
    assert await ids(house, person, limit=1, before=elsewhere) == [retried]
    assert await ids(house, person, status="failed") == []
    assert await ids(house, person, session_id=new_id()) == []
    detail = await house.run_of(person, counted)
    assert (detail["kind"], detail["question"]) == ("chat", question[:200])
    step = next(step for step in detail["steps"] if step["name"] == "word-counter__count")
    assert step["input"]["arguments"] == {"file": "poem.txt"}


async def ids(house: Any, person: Any, **query: Any) -> list[UUID]:
    return [UUID(run["id"]) for run in await get(house, person, "/runs", **query)]
