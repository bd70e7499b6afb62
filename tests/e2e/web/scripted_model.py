"""A language model on loopback that speaks OpenAI's protocol and does what the question says.

"12 words"      writes word-1 to word-12, one token each, at the pace it was given
a tool `say`    calls it (what the test of a connection offers)
"""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from raptorflow.base.json import JsonObject, dumps

WORDS = re.compile(r"(\d+) words")
KEY = "sk-scripted-0123456789abcd"


@dataclass
class ScriptedModel:
    """Where it answers, how fast, and which keys it was shown."""

    url: str
    words_per_second: float = 200.0
    keys: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def scripted_model() -> AsyncGenerator[ScriptedModel]:
    """Serve it on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    model = ScriptedModel(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        model.keys.append(key)
        if key != KEY:
            wrong = {"error": {"message": "wrong key", "type": "auth", "code": "invalid_api_key"}}
            return JSONResponse(wrong, status_code=401)
        return StreamingResponse(_answer(model, await request.json()), media_type="text/event-stream")

    runner = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(runner.serve(sockets=[listener]))
    yield model
    runner.should_exit = True
    await serving


async def _answer(model: ScriptedModel, asked: JsonObject) -> AsyncIterator[str]:
    tools = [tool["function"]["name"] for tool in asked.get("tools", [])]
    if "say" in tools:
        call: JsonObject = {"index": 0, "id": "call_1", "type": "function"}
        call["function"] = {"name": "say", "arguments": '{"word": "raptor"}'}
        yield _chunk({"role": "assistant", "tool_calls": [call]})
        yield _chunk({}, "tool_calls")
    else:
        found = WORDS.findall(_last_question(asked))
        count, loop = int(found[-1]) if found else 3, asyncio.get_running_loop()
        began = loop.time()
        for number in range(1, count + 1):
            # By the clock and not by pauses: a late word does not make the next ones later.
            await asyncio.sleep(max(0.0, began + number / model.words_per_second - loop.time()))
            yield _chunk({"role": "assistant", "content": f"word-{number} "})
        yield _chunk({}, "stop")
    yield "data: [DONE]\n\n"


def _last_question(asked: JsonObject) -> str:
    content = next(message["content"] for message in reversed(asked["messages"]) if message["role"] == "user")
    return content if isinstance(content, str) else dumps(content)


def _chunk(delta: JsonObject, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head: JsonObject = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    return f"data: {dumps({**head, 'choices': [choice], **({'usage': usage} if finish else {})})}\n\n"
