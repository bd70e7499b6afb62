"""Requests against a server that answers from a list: what is sent again, and what an answer becomes."""

import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast

import pytest
from pydantic import BaseModel

from raptorflow_sdk.client import RaptorFlow
from raptorflow_sdk.connection import Connection, find_connection
from raptorflow_sdk.errors import ConnectionUnknown, RequestRefused, ServerUnreachable
from raptorflow_sdk.transport import Request, Transport

BUSY = (503, b'{"code": "part-unavailable", "detail": "Not now."}')


class Scripted(HTTPServer):
    """Gives the answers of a list, one after the other; None closes the connection without a word."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes] | None] = []
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def __getattr__(self, name: str) -> Callable[[], None]:
        """Whatever the method (`do_GET`), the next answer of the list."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self.answer

    def answer(self) -> None:
        scripted = cast("Scripted", self.server)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        scripted.asked.append(f"{self.command} {self.path}")
        given = scripted.answers.pop(0)
        if given is None:
            self.close_connection = True
            return
        self.send_response(given[0])
        self.send_header("content-length", str(len(given[1])))
        self.end_headers()
        self.wfile.write(given[1])

    def log_message(self, format: str, *args: object) -> None:
        """Tests say enough."""


@pytest.fixture
def server() -> Generator[Scripted]:
    scripted = Scripted()
    thread = threading.Thread(target=scripted.serve_forever, daemon=True)
    thread.start()
    yield scripted
    scripted.shutdown()
    scripted.server_close()


@pytest.fixture
def transport(server: Scripted) -> Transport:
    return Transport(Connection(f"http://127.0.0.1:{server.server_port}", "secret"))


class Thing(BaseModel):
    name: str


def test_an_answer_becomes_its_type_and_what_it_has_beyond_is_ignored(
    server: Scripted, transport: Transport
) -> None:
    server.answers = [(200, b'[{"name": "a", "newer": 1}]')]
    assert transport.call(Request("GET", "/things"), list[Thing]) == [Thing(name="a")]


@pytest.mark.parametrize("trouble", [BUSY, None])
def test_what_changes_nothing_is_asked_again(
    server: Scripted, transport: Transport, trouble: tuple[int, bytes] | None
) -> None:
    server.answers = [trouble, (200, b'{"name": "a"}')]
    assert transport.call(Request("GET", "/thing"), Thing).name == "a"
    assert len(server.asked) == 2


def test_what_might_be_done_twice_is_asked_once(server: Scripted, transport: Transport) -> None:
    server.answers = [BUSY]
    with pytest.raises(RequestRefused, match="Not now"):
        transport.call(Request("POST", "/things", body=b"x"), Thing)
    server.answers = [BUSY, (200, b'{"name": "a"}')]
    request = Request("POST", "/things", header={"idempotency-key": "k"}, body=b"x")
    assert transport.call(request, Thing).name == "a"


def test_silence_is_named_after_the_last_try(server: Scripted, transport: Transport) -> None:
    server.answers = [None, None, None]
    with pytest.raises(ServerUnreachable, match="does not answer"):
        transport.call(Request("GET", "/thing"), Thing)
    assert len(server.asked) == 3


def test_a_problem_that_is_no_json_is_still_a_refusal(server: Scripted, transport: Transport) -> None:
    server.answers = [(418, b"<html>teapot</html>")]
    with pytest.raises(RequestRefused, match="418") as refused:
        transport.call(Request("GET", "/thing"), Thing)
    assert refused.value.code == "http-418"


def test_values_in_a_path_cannot_leave_their_place(server: Scripted, transport: Transport) -> None:
    server.answers = [(200, b"")] * 2
    transport.call(Request("GET", "/skills/{name}", path={"name": "../a b?x"}), bytes)
    transport.call(
        Request("GET", "/files/{path}", path={"path": "scripts/a b.py"}, query={"all": True}), bytes
    )
    assert server.asked == ["GET /skills/..%2Fa%20b%3Fx", "GET /files/scripts/a%20b.py?all=true"]


def test_a_connection_is_found_in_arguments_environment_and_file(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("RAPTORFLOW_URL", raising=False)
    monkeypatch.delenv("RAPTORFLOW_TOKEN", raising=False)
    with pytest.raises(ConnectionUnknown, match="No RaptorFlow server"):
        RaptorFlow()
    kept = Connection("http://127.0.0.1:1", "kept")
    monkeypatch.setenv("RAPTORFLOW_URL", "http://127.0.0.1:2/")
    monkeypatch.setenv("RAPTORFLOW_TOKEN", "set")
    assert find_connection() == Connection("http://127.0.0.1:2", "set")
    assert find_connection(kept.url, kept.token) == kept
    assert "set" not in repr(find_connection())
