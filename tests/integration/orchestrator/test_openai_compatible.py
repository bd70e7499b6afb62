"""A real provider's protocol from a server on loopback: streams, tool calls, and what goes wrong."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import SecretStr

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.language_models.factory import build_model
from raptorflow.orchestrator.settings import OrchestratorSettings

Reply = Callable[[JsonObject], Response]
ENOUGH_SECONDS = 0.5
FOREVER_SECONDS = 60.0


def chunk(delta: JsonObject, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "local"}
    return f"data: {dumps({**head, 'choices': [choice]})}\n\n"


def stream(*chunks: str, done: bool = True) -> Response:
    async def body() -> AsyncIterator[str]:
        for piece in chunks:
            yield piece
            await asyncio.sleep(0)
        if done:
            yield "data: [DONE]\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


def says(*words: str) -> Reply:
    pieces = [chunk({"role": "assistant", "content": word}) for word in words]
    return lambda _: stream(*pieces, chunk({}, "stop"))


def calls(name: str, arguments: str) -> Reply:
    half = len(arguments) // 2
    first: JsonObject = {"index": 0, "id": "call_1", "type": "function"}
    first["function"] = {"name": name, "arguments": arguments[:half]}
    rest: JsonObject = {"index": 0, "function": {"arguments": arguments[half:]}}
    return lambda _: stream(
        chunk({"role": "assistant", "tool_calls": [first]}),
        chunk({"tool_calls": [rest]}),
        chunk({}, "tool_calls"),
    )


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> Reply:
    body = {"error": {"message": f"it is {code}", "type": code, "code": code}}
    return lambda _: JSONResponse(body, status_code=status, headers=headers)


def breaks_off(*words: str) -> Reply:
    """Begins to write and drops the connection."""

    def reply(_: JsonObject) -> Response:
        async def body() -> AsyncIterator[str]:
            for word in words:
                yield chunk({"role": "assistant", "content": word})
            raise ConnectionResetError("dropped")

        return StreamingResponse(body(), media_type="text/event-stream")

    return reply


def ends_early(*words: str) -> Reply:
    """Closes the stream properly, but in the middle of the answer."""
    pieces = [chunk({"role": "assistant", "content": word}) for word in words]
    return lambda _: stream(*pieces, done=False)


def never_begins(_: JsonObject) -> Response:
    async def body() -> AsyncIterator[str]:
        await asyncio.sleep(FOREVER_SECONDS)
        yield ""

    return StreamingResponse(body(), media_type="text/event-stream")


@dataclass
class ModelServer:
    """Answers each request with the next reply of a script."""

    url: str
    script: list[Reply] = field(default_factory=list[Reply])
    requests: list[JsonObject] = field(default_factory=list[JsonObject])
    keys: list[str] = field(default_factory=list[str])
    times: list[float] = field(default_factory=list[float])

    def plays(self, *replies: Reply) -> None:
        self.script[:] = replies


@pytest.fixture
async def model_server() -> AsyncGenerator[ModelServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = ModelServer(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        server.requests.append(await request.json())
        server.keys.append(request.headers["authorization"])
        server.times.append(time.monotonic())
        return server.script.pop(0)(server.requests[-1])

    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    runner = uvicorn.Server(config)
    task = asyncio.create_task(runner.serve(sockets=[listener]))
    yield server
    runner.should_exit = True
    await task


@pytest.fixture
def ask(make_house: Any, model_server: ModelServer, tail: Any) -> Any:
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


async def test_tools_are_called_and_the_answer_streams(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(
        calls("search_skills", '{"query": "count words"}'),
        calls("load_skill", '{"name": "word-counter"}'),
        calls("word-counter__echo", '{"phrase": "good day"}'),
        says("It ", "says ", "good day."),
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


async def test_the_prefix_of_the_prompt_stays_the_same(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(
        calls("load_skill", '{"name": "word-counter"}'),
        calls("search_skills", '{"query": "x"}'),
        says("Done."),
    )
    await ask("Load it")
    first, second, third = (request["messages"] for request in model_server.requests)
    assert second[:2] == first[:2]
    assert third[: len(second)] == second


async def test_a_rate_limit_is_waited_for(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(problem(429, "rate_limit_exceeded", {"Retry-After": "1"}), says("Late, but here."))
    events, run = await ask("Hello")
    assert run["status"] == "succeeded"
    assert model_server.times[1] - model_server.times[0] >= 1.0
    assert [event["value"]["seconds"] for event in events if event.get("name") == "model-waiting"] == [1.0]


async def test_a_long_rate_limit_ends_the_run(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(problem(429, "rate_limit_exceeded", {"Retry-After": "3600"}))
    events, run = await ask("Hello")
    assert run["status"] == "failed"
    assert events[-1]["type"] == "RUN_ERROR"
    assert events[-1]["code"] == "model-busy"
    assert "3600" in events[-1]["message"]
    assert len(model_server.requests) == 1


@pytest.mark.parametrize("drop", [breaks_off, ends_early])
async def test_a_dropped_connection_is_tried_once_more(
    ask: Any, model_server: ModelServer, drop: Callable[..., Reply]
) -> None:
    model_server.plays(drop("Half of ", "an ans"), says("A whole ", "answer."))
    events, run = await ask("Hello", delta_seconds=0)
    assert run["status"] == "succeeded"
    assert text_by_the_rules(events) == ("A whole answer.", "A whole answer.")
    assert len(model_server.requests) == 2


async def test_dropped_twice_ends_the_run(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(breaks_off("Half"), breaks_off("Half"))
    events, run = await ask("Hello")
    assert run["status"] == "failed"
    assert events[-1]["code"] == run["error"]["code"] == "model-unreachable"
    assert len(model_server.requests) == 2


async def test_a_refused_key_says_what_to_do(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(problem(401, "invalid_api_key"))
    events, _ = await ask("Hello")
    assert events[-1]["code"] == "model-key-refused"
    assert "RAPTORFLOW_MODEL_API_KEY" in events[-1]["hint"]
    assert len(model_server.requests) == 1


async def test_a_silent_model_is_given_up(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(never_begins, says("Now."))
    _, run = await ask("Hello", model_first_event_seconds=ENOUGH_SECONDS)
    assert run["status"] == "succeeded"
    assert len(model_server.requests) == 2


async def test_broken_arguments_go_back_to_the_model(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(
        calls("search_skills", '{"query": '),
        calls("search_skills", '{"wrong": 1}'),
        calls("no_such_tool", "{}"),
        says("I give up."),
    )
    events, run = await ask("Hello")
    assert run["status"] == "succeeded"
    results = [event["content"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert "invalid-arguments" in results[0]
    assert "query" in results[1]
    assert "unknown-tool" in results[2]


async def test_a_server_error_is_tried_once_more(ask: Any, model_server: ModelServer) -> None:
    model_server.plays(problem(500, "oops"), says("Fine."))
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
