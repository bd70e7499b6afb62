"""What clients send: commands on sockets, requests over HTTP, uploads; and what is refused, and how."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from sqlalchemy import update

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.models import Run

Piece = str | dict[int, DeltaToolCall]
API = "/api/v1/orchestrator"
MIB = 1024 * 1024
LOOK_SECONDS = 0.02
QUICK_SECONDS = 3.0
FOREVER_SECONDS = 600.0


async def answers(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    yield "Yes."


async def never_ends(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    yield "Wait"
    await asyncio.sleep(FOREVER_SECONDS)


def model(function: Any) -> FunctionModel:
    return FunctionModel(stream_function=function, model_name="scripted")


async def next_named(connection: Any, name: str) -> JsonObject:
    async with asyncio.timeout(QUICK_SECONDS):
        while True:
            event = loads(await connection.recv())
            if event.get("name") == name:
                return event["value"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid-frame"),
        ("[]", "invalid-frame"),
        ('{"type": "dance"}', "invalid-frame"),
        ('{"type": "message"}', "invalid-frame"),
        ('{"type": "message", "text": ""}', "invalid-frame"),
        ('{"type": "message", "text": "x", "files": ["no id"]}', "invalid-frame"),
        (b"\x00\x01", "invalid-frame"),
        (dumps({"type": "message", "text": "x" * 3000}), "message-too-large"),
        (dumps({"type": "message", "text": "x" * 60_000}), "message-too-large"),
        ('{"type": "cancel"}', "not-found"),
        ('{"type": "cancel", "run_id": "00000000-0000-7000-8000-000000000000"}', "run-not-found"),
        ('{"type": "resume", "run_id": "00000000-0000-7000-8000-000000000000"}', "run-not-found"),
    ],
)
async def test_a_bad_frame_is_refused_and_the_socket_stays(
    make_house: Any, tail: Any, frame: str | bytes, code: str
) -> None:
    house = await make_house(max_message_bytes=2048)
    await house.start_worker(model(answers))
    person = await house.person()
    async with house.socket(person, await house.session(person)) as connection:
        await connection.send(frame)
        refused = await next_named(connection, "refused")
        assert refused["code"] == code
        assert refused["detail"]
        await connection.send(dumps({"type": "message", "text": "Are you still there?"}))
        assert (await tail(connection))[-1]["type"] == "RUN_FINISHED"


async def test_a_running_run_is_cancelled_at_once(house: Any, tail: Any) -> None:
    await house.start_worker(model(never_ends))
    person = await house.person()
    async with house.socket(person, await house.session(person)) as connection:
        await connection.send(dumps({"type": "message", "text": "Go"}))
        async for frame in connection:
            if loads(frame)["type"] == "TEXT_MESSAGE_CONTENT":
                break
        async with asyncio.timeout(QUICK_SECONDS):
            await connection.send(dumps({"type": "cancel"}))
            events = await tail(connection)
    assert events[-1]["type"] == "RUN_ERROR"
    assert events[-1]["code"] == "run-cancelled"
    run = await house.run_of(person, events[-1]["runId"])
    assert run["status"] == "cancelled"


async def test_a_waiting_run_is_cancelled_without_a_worker(house: Any) -> None:
    person = await house.person()
    session_id = await house.session(person)
    run_id = await house.send(person, session_id, "Go")
    async with house.http(person) as http:
        answer = await http.post(f"{API}/runs/{run_id}/cancel")
    assert answer.json()["status"] == "cancelled"
    events = await house.ended(person, run_id)
    assert [(event["type"], event["seq"]) for event in events] == [("RUN_ERROR", 1)]


async def test_a_cancellation_reaches_a_worker_that_did_not_hear_it(house: Any) -> None:
    """The heartbeat finds it in the database when Valkey lost the call."""
    await house.start_worker(model(never_ends))
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Go")
    await house.until(person, run_id, "running")
    async with house.database.system_session() as session:
        await session.execute(update(Run).where(Run.id == run_id).values(cancel_requested=True))
    async with asyncio.timeout(QUICK_SECONDS):
        events = await house.ended(person, run_id)
    assert events[-1]["code"] == "run-cancelled"


async def test_a_key_makes_sending_twice_the_same_as_once(house: Any) -> None:
    await house.start_worker(model(answers))
    person = await house.person()
    session_id = await house.session(person)
    runs = await asyncio.gather(
        *(house.send(person, session_id, "Once", idempotency_key="k") for _ in range(8))
    )
    assert len(set(runs)) == 1
    async with house.http(person) as http:
        other = await http.post(
            f"{API}/sessions/{session_id}/messages", json={"text": "Twice"}, headers={"Idempotency-Key": "k"}
        )
        assert other.status_code == 409
        assert other.json()["code"] == "idempotency-key-reused"
        await house.ended(person, runs[0])
        detail = (await http.get(f"{API}/sessions/{session_id}")).json()
    assert [message["content"] for message in detail["messages"]] == ["Once", "Yes."]
    assert detail["title"] == "Once"


async def test_turns_of_a_session_run_one_after_the_other(house: Any) -> None:
    together, most = 0, 0

    async def counts(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(LOOK_SECONDS)
        yield "Yes."
        together -= 1

    for _ in range(2):
        await house.start_worker(model(counts))
    person = await house.person()
    session_id = await house.session(person)
    runs = [await house.send(person, session_id, f"Message {number}") for number in range(6)]
    for run_id in runs:
        assert (await house.ended(person, run_id))[-1]["type"] == "RUN_FINISHED"
    assert most == 1
    async with house.http(person) as http:
        detail = (await http.get(f"{API}/sessions/{session_id}")).json()
    expected = [text for number in range(6) for text in (f"Message {number}", "Yes.")]
    assert [message["content"] for message in detail["messages"]] == expected


async def test_draining_gives_a_run_to_another_worker(make_house: Any) -> None:
    house = await make_house(drain_seconds=0.1, lease_seconds=60.0)
    slow = await house.start_worker(model(never_ends))
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Go")
    await house.until(person, run_id, "running")
    house.workers.remove(slow)
    await slow.stop()
    await house.start_worker(model(answers))
    async with asyncio.timeout(QUICK_SECONDS):
        events = await house.ended(person, run_id)
    assert events[-1]["type"] == "RUN_FINISHED"
    assert any(event.get("name") == "run-resumed" for event in events)


async def test_uploads(make_house: Any) -> None:
    house = await make_house(max_file_bytes=MIB)
    person = await house.person()
    async with house.http(person) as http:
        form = await http.post(f"{API}/files", files={"file": ("dir/../a\u202eb.csv", b"x,y\n1,2\n")})
        assert form.status_code == 201, form.text
        assert form.json()["name"] == "a_b.csv"
        content = await http.get(f"{API}/files/{form.json()['id']}/content")
        assert content.content == b"x,y\n1,2\n"
        too_large = await http.post(f"{API}/files", params={"name": "big"}, content=b"x" * (MIB + 1))
        assert too_large.status_code == 413
        assert too_large.json()["code"] == "file-too-large"
        assert "1,048,576" in too_large.json()["detail"]
        unsaid = await http.post(f"{API}/files", params={"name": "big"}, content=chunks(MIB + 1))
        assert unsaid.status_code == 413
        in_form = await http.post(f"{API}/files", files={"file": ("big", b"x" * (MIB + 1))})
        assert in_form.status_code == 413
        nameless = await http.post(f"{API}/files", content=b"x")
        assert nameless.json()["code"] == "invalid-upload"
        broken = {"content-type": "multipart/form-data; boundary=b"}
        no_form = await http.post(f"{API}/files", content=b"nothing", headers=broken)
        assert no_form.json()["code"] == "invalid-upload"
        empty = await http.post(f"{API}/files", params={"name": "empty.csv"}, content=b"")
        assert empty.json()["size"] == 0


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b"x" * 1024


async def test_files_of_one_name_are_told_apart(house: Any) -> None:
    person = await house.person()
    session_id = await house.session(person)
    one, two = [await house.upload(person, "data.csv", content) for content in (b"1", b"2")]
    await house.send(person, session_id, "Compare", files=[one["id"], two["id"]])
    async with house.http(person) as http:
        detail = (await http.get(f"{API}/sessions/{session_id}")).json()
    assert [file["name"] for file in detail["files"]] == ["data.csv", "data (2).csv"]


async def test_text_that_postgresql_cannot_hold(house: Any, tail: Any) -> None:
    async def says_nul(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        yield "a\0b \\u0000 c"

    await house.start_worker(model(says_nul))
    person = await house.person()
    async with house.socket(person, await house.session(person)) as connection:
        await connection.send(dumps({"type": "message", "text": "x\0y"}))
        events = await tail(connection)
    assert events[-1]["type"] == "RUN_FINISHED"
    end = next(event for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert end["content"] == "a\ufffdb \\u0000 c"
