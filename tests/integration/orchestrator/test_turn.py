"""A turn through the whole house: socket, worker, search, load, sandbox, answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection

from raptorflow.base.json import JsonObject, dumps

Tail = Callable[[ClientConnection], Awaitable[list[JsonObject]]]


async def test_a_question_about_a_file_is_answered(house: Any, tail: Tail) -> None:
    person = await house.person()
    await house.start_worker()
    session_id = await house.session(person)
    file = await house.upload(person, "poem.txt", b"a rose is a rose is a rose")
    async with house.socket(person, session_id) as socket:
        await socket.send(
            dumps({"type": "message", "text": "How many words has this file?", "files": [file["id"]]})
        )
        events = await tail(socket)
    numbers = [event["seq"] for event in events if "seq" in event]
    assert numbers == list(range(1, len(numbers) + 1))
    steps = [
        event["name"] for event in events if event["type"] == "STEP_FINISHED" and event["kind"] == "tool"
    ]
    assert steps == ["search_skills", "load_skill", "word-counter__count"]
    answer = next(event["content"] for event in events if event["type"] == "TEXT_MESSAGE_END")
    assert answer.startswith("8 words")
    assert "No language model is connected" in answer
    assert events[-1]["type"] == "RUN_FINISHED"
    artifact = next(event["value"] for event in events if event.get("name") == "artifact")
    async with house.http(person) as http:
        content = await http.get(artifact["url"])
    assert content.text.splitlines()[0] == "a"
    assert content.headers["content-disposition"].startswith("attachment")
    assert content.headers["x-content-type-options"] == "nosniff"
