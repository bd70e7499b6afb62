"""Real parts for the test session: PostgreSQL and Valkey of its own, and the list of what did not run."""

import asyncio
import io
import logging
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from tests.serving import served
from tests.support.docker_engine import OwnEngine, running_engine

from raptorflow.base.json import JsonObject, dumps
from raptorflow.core.migrate import upgrade
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.valkey import EmbeddedValkey

Reply = Callable[[JsonObject], Response]
FOREVER_SECONDS = 60.0
NO_TIME_LEFT = pytest.StashKey[list[str]]()
DEADLINE = pytest.StashKey[float]()


@pytest.fixture(scope="session")
def stack_folder() -> Generator[Path]:
    """A data folder for the session's servers, removed with them."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    yield folder
    open_place(folder).remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def postgres_urls(stack_folder: Path) -> AsyncGenerator[PostgresUrls]:
    """A PostgreSQL server of the session's own."""
    server = EmbeddedPostgres(stack_folder)
    yield await server.start()
    await server.stop()


@pytest.fixture(scope="session")
async def valkey_url(stack_folder: Path) -> AsyncGenerator[str]:
    """A Valkey server of the session's own; tests keep apart by their key prefixes."""
    server = EmbeddedValkey(stack_folder)
    yield await server.start()
    await server.stop()


@pytest.fixture(scope="session")
def migrated_database(postgres_urls: PostgresUrls) -> PostgresUrls:
    """The session's database at the newest schema."""
    upgrade(postgres_urls.owner_url)
    return postgres_urls


@pytest.fixture(scope="session")
def docker_engine() -> Generator[OwnEngine]:
    """A Docker engine of the session's own, which leaves no control group, mount or file."""
    with running_engine() as engine:
        yield engine


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Generator[Callable[[], str]]:
    """What was logged at every level, whatever other tests made of the logs, and what was printed since."""
    configure_telemetry(TelemetrySettings(log_level="DEBUG", log_format="json"), service="tests")
    root, lines = logging.getLogger(), io.StringIO()
    # Not to the standard error of this moment: the test's own is another one.
    handler = logging.StreamHandler(lines)
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers = [handler]
    yield lambda: lines.getvalue() + "".join(capfd.readouterr())
    root.handlers = []
    root.setLevel(logging.WARNING)


@dataclass
class ModelServer:
    """Speaks OpenAI's protocol: answers each request with the next reply of a script.

    `usage`, when set, are the prompt's and the answer's tokens, told at the end of each stream.
    """

    url: str
    usage: tuple[int, int] | None = None
    paths: list[str] = field(default_factory=list[str])
    script: list[Reply] = field(default_factory=list[Reply])
    requests: list[JsonObject] = field(default_factory=list[JsonObject])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    times: list[float] = field(default_factory=list[float])

    @property
    def keys(self) -> list[str]:
        return [headers.get("authorization", "") for headers in self.headers]

    def plays(self, *replies: Reply) -> None:
        self.script[:] = replies

    def says(self, *words: str) -> Reply:
        pieces = [_chunk({"role": "assistant", "content": word}) for word in words]
        return lambda _: _stream(*pieces, _chunk({}, "stop"), *self._counted())

    def calls(self, name: str, arguments: str) -> Reply:
        half = len(arguments) // 2
        first: JsonObject = {"index": 0, "id": "call_1", "type": "function"}
        first["function"] = {"name": name, "arguments": arguments[:half]}
        rest: JsonObject = {"index": 0, "function": {"arguments": arguments[half:]}}
        return lambda _: _stream(
            _chunk({"role": "assistant", "tool_calls": [first]}),
            _chunk({"tool_calls": [rest]}),
            _chunk({}, "tool_calls"),
            *self._counted(),
        )

    def problem(self, status: int, code: str, headers: dict[str, str] | None = None) -> Reply:
        body = {"error": {"message": f"it is {code}", "type": code, "code": code}}
        return lambda _: JSONResponse(body, status_code=status, headers=headers)

    def breaks_off(self, *words: str) -> Reply:
        """Begins to write and drops the connection."""

        async def body() -> AsyncIterator[str]:
            for word in words:
                yield _chunk({"role": "assistant", "content": word})
            raise ConnectionResetError("dropped")

        return lambda _: StreamingResponse(body(), media_type="text/event-stream")

    def ends_early(self, *words: str) -> Reply:
        """Closes the stream properly, but in the middle of the answer."""
        pieces = [_chunk({"role": "assistant", "content": word}) for word in words]
        return lambda _: _stream(*pieces, done=False)

    def never_begins(self, _: JsonObject) -> Response:
        async def body() -> AsyncIterator[str]:
            await asyncio.sleep(FOREVER_SECONDS)
            yield ""

        return StreamingResponse(body(), media_type="text/event-stream")

    def _counted(self) -> list[str]:
        if self.usage is None:
            return []
        prompt, answer = self.usage
        tokens = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
        return [_line({"choices": [], "usage": tokens})]


def _line(fields: JsonObject) -> str:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "local"}
    return f"data: {dumps({**head, **fields})}\n\n"


def _chunk(delta: JsonObject, finish: str | None = None) -> str:
    return _line({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _stream(*chunks: str, done: bool = True) -> Response:
    async def body() -> AsyncIterator[str]:
        for piece in chunks:
            yield piece
            await asyncio.sleep(0)
        if done:
            yield "data: [DONE]\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


@pytest.fixture
async def model_server() -> AsyncGenerator[ModelServer]:
    """A model's server on loopback; what it answers is the test's to say."""
    server, app = ModelServer(""), FastAPI()

    @app.post("/{path:path}")
    async def complete(request: Request, path: str) -> Response:
        server.paths.append(path)
        server.requests.append(await request.json())
        server.headers.append(dict(request.headers))
        server.times.append(time.monotonic())
        return server.script.pop(0)(server.requests[-1])

    async with served(app) as url:
        server.url = f"{url}/v1"
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--within SECONDS`: what has not begun by then does not begin, and is listed."""
    parser.addoption("--within", type=float, metavar="SECONDS", help="begin no test after this long")


def pytest_configure(config: pytest.Config) -> None:
    """Note when the time is up."""
    within: float | None = config.getoption("--within")
    config.stash[NO_TIME_LEFT] = []
    config.stash[DEADLINE] = float("inf") if within is None else time.monotonic() + within


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Leave a test out when the time is up; it is named at the end."""
    if time.monotonic() < item.config.stash[DEADLINE]:
        return None
    item.config.stash[NO_TIME_LEFT].append(item.nodeid)
    return True


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """No test is left out in silence: name each one and the reason."""
    lines = [f"{report.nodeid}: {_reason(report)}" for report in terminalreporter.stats.get("skipped", [])]
    lines += [f"{test}: no time was left" for test in terminalreporter.config.stash[NO_TIME_LEFT]]
    if lines:
        terminalreporter.section("did not run, and why")
    for line in lines:
        terminalreporter.write_line(line)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """A skip's reason: the last of file, line and reason."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
