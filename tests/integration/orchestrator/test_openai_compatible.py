"""A real provider's protocol from a server on loopback: streams, tool calls, and what goes wrong."""

import socket
from typing import Any

import pytest
from pydantic import SecretStr

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.language_models.factory import build_model
from raptorflow.orchestrator.settings import OrchestratorSettings

ENOUGH_SECONDS = 0.5


@pytest.fixture
def ask(make_house: Any, model_server: Any, tail: Any) -> Any:
    async def ask_once(text: str, **options: Any) -> tuple[list[JsonObject], JsonObject]:
        house = await make_house(
            model="openai-compatible:local",
            model_base_url=model_server.url,
            model_api_key=SecretStr("k-1"),
            **options,
        )
        await house.start_worker(build_model(house.settings))
        person = await house.person()
        session_id = await house.session(person)
        async with house.socket(person, session_id) as connection:
            await connection.send(dumps({"type": "message", "text": text}))
            events = await tail(connection)
        run_id = next(event["runId"] for event in events if "runId" in event)
        return events, await house.run_of(person, run_id)

    return ask_once


def text_by_the_rules(events: list[JsonObject]) -> tuple[str, str]:
    """A text as its deltas spell it, by the rules of events.py, and as its snapshot has it."""
    text, snapshot = "", ""
    for event in events:
        if event["type"] == "TEXT_MESSAGE_START":
            text = ""
        elif event["type"] == "TEXT_MESSAGE_CONTENT" and event["offset"] == len(text):
            text += event["delta"]
        elif event["type"] == "TEXT_MESSAGE_END":
            snapshot = event["content"]
    return text, snapshot


async def test_tools_are_called_and_the_answer_streams(ask: Any, model_server: Any) -> None:
    model_server.plays(
        model_server.calls("search_skills", '{"query": "count words"}'),
        model_server.calls("load_skill", '{"name": "word-counter"}'),
        model_server.calls("word-counter__echo", '{"phrase": "good day"}'),
        model_server.says("It ", "says ", "good day."),
    )
    events, run = await ask("Say good day")
    assert text_by_the_rules(events) == ("It says good day.", "It says good day.")
    assert run["status"] == "succeeded"
    results = [event["content"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert results[-1] == '{"answer":"good day"}'
    offered = [tool["function"]["name"] for tool in model_server.requests[2]["tools"]]
    assert offered[-2:] == ["word-counter__count", "word-counter__echo"]
    system = [m["content"] for m in model_server.requests[2]["messages"] if m["role"] == "system"]
    assert "Count words with the count action." in str(system)
    assert set(model_server.keys) == {"Bearer k-1"}


async def test_the_prefix_of_the_prompt_stays_the_same(ask: Any, model_server: Any) -> None:
    model_server.plays(
        model_server.calls("load_skill", '{"name": "word-counter"}'),
        model_server.calls("search_skills", '{"query": "x"}'),
        model_server.says("Done."),
    )
    await ask("Load it")
    first, second, third = (request["messages"] for request in model_server.requests)
    assert second[:2] == first[:2]
    assert third[: len(second)] == second


async def test_a_rate_limit_is_waited_for(ask: Any, model_server: Any) -> None:
    model_server.plays(
        model_server.problem(429, "rate_limit_exceeded", {"Retry-After": "1"}),
        model_server.says("Late, but here."),
    )
    events, run = await ask("Hello")
    assert run["status"] == "succeeded"
    assert model_server.times[1] - model_server.times[0] >= 1.0
    assert [event["value"]["seconds"] for event in events if event.get("name") == "model-waiting"] == [1.0]


async def test_a_long_rate_limit_ends_the_run(ask: Any, model_server: Any) -> None:
    model_server.plays(model_server.problem(429, "rate_limit_exceeded", {"Retry-After": "3600"}))
    events, run = await ask("Hello")
    assert run["status"] == "failed"
    assert events[-1]["type"] == "RUN_ERROR"
    assert events[-1]["code"] == "model-busy"
    assert "3600" in events[-1]["message"]
    assert len(model_server.requests) == 1


@pytest.mark.parametrize("drop", ["breaks_off", "ends_early"])
async def test_a_dropped_connection_is_tried_once_more(ask: Any, model_server: Any, drop: str) -> None:
    model_server.plays(
        getattr(model_server, drop)("Half of ", "an ans"), model_server.says("A whole ", "answer.")
    )
    events, run = await ask("Hello", delta_seconds=0)
    assert run["status"] == "succeeded"
    assert text_by_the_rules(events) == ("A whole answer.", "A whole answer.")
    assert len(model_server.requests) == 2


async def test_dropped_twice_ends_the_run(ask: Any, model_server: Any) -> None:
    model_server.plays(model_server.breaks_off("Half"), model_server.breaks_off("Half"))
    events, run = await ask("Hello")
    assert run["status"] == "failed"
    assert events[-1]["code"] == run["error"]["code"] == "model-unreachable"
    assert len(model_server.requests) == 2


async def test_a_refused_key_says_what_to_do(ask: Any, model_server: Any) -> None:
    model_server.plays(model_server.problem(401, "invalid_api_key"))
    events, _ = await ask("Hello")
    assert events[-1]["code"] == "model-key-refused"
    assert "RAPTORFLOW_MODEL_API_KEY" in events[-1]["hint"]
    assert len(model_server.requests) == 1


async def test_a_silent_model_is_given_up(ask: Any, model_server: Any) -> None:
    model_server.plays(model_server.never_begins, model_server.says("Now."))
    _, run = await ask("Hello", model_first_event_seconds=ENOUGH_SECONDS)
    assert run["status"] == "succeeded"
    assert len(model_server.requests) == 2


async def test_broken_arguments_go_back_to_the_model(ask: Any, model_server: Any) -> None:
    model_server.plays(
        model_server.calls("search_skills", '{"query": '),
        model_server.calls("search_skills", '{"wrong": 1}'),
        model_server.calls("no_such_tool", "{}"),
        model_server.says("I give up."),
    )
    events, run = await ask("Hello")
    assert run["status"] == "succeeded"
    results = [event["content"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert "invalid-arguments" in results[0]
    assert "query" in results[1]
    assert "unknown-tool" in results[2]


async def test_a_server_error_is_tried_once_more(ask: Any, model_server: Any) -> None:
    model_server.plays(model_server.problem(500, "oops"), model_server.says("Fine."))
    _, run = await ask("Hello")
    assert run["status"] == "succeeded"


async def test_an_unreachable_model(make_house: Any, tail: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    settings = OrchestratorSettings(model="openai-compatible:none", model_base_url=url)
    house = await make_house()
    await house.start_worker(build_model(settings))
    person = await house.person()
    async with house.socket(person, await house.session(person)) as connection:
        await connection.send(dumps({"type": "message", "text": "Hello"}))
        events = await tail(connection)
    assert events[-1]["code"] == "model-unreachable"
