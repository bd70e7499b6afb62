"""What every HTTP answer shares: problem details, request ids, metrics, health."""

from collections.abc import AsyncGenerator, Generator
from typing import Annotated, Any
from uuid import UUID

import pytest
import structlog
from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from raptorflow.base.errors import Conflict, PartUnavailable, RateLimited
from raptorflow.core.http import PROBLEM, health_router, install_http

SECRET = "postgresql://user:password@host"


class SkillTaken(Conflict):
    """A made-up failure of a room."""

    code = "skill-taken"
    default_hint = "Choose another name."


class Parts:
    """Parts that answer until they are told not to."""

    def __init__(self) -> None:
        self.away = False

    async def check(self) -> None:
        if self.away:
            raise PartUnavailable("The part is away.", hint="Start it.")


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def client(parts: Parts) -> Generator[TestClient]:
    app = FastAPI()
    install_http(app)
    app.include_router(health_router({"part": parts.check}))

    @app.get("/skills/{name}")
    async def skill(name: str) -> dict[str, str | None]:
        if name == "taken":
            raise SkillTaken(f"The name {name} is taken.", details={"name": name})
        if name == "busy":
            raise RateLimited("Too many requests.", details={"retry_after_seconds": 7})
        if name == "broken":
            raise LookupError(SECRET)
        return {"request_id": structlog.contextvars.get_contextvars().get("request_id")}

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts_of_it() -> AsyncGenerator[bytes]:
            yield b"begun"
            raise LookupError(SECRET)

        return StreamingResponse(parts_of_it())

    @app.get("/count")
    async def count(n: Annotated[int, Query(ge=1)]) -> int:
        return n

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def problem_at(client: TestClient, path: str, status: int) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert problem["instance"] == path.partition("?")[0]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


def test_a_known_failure_is_a_problem_document_with_the_remedy(client: TestClient) -> None:
    problem = problem_at(client, "/skills/taken", 409)
    del problem["request_id"]
    assert problem == {
        "type": "urn:raptorflow:error:skill-taken",
        "title": "Skill taken",
        "status": 409,
        "code": "skill-taken",
        "detail": "The name taken is taken.",
        "hint": "Choose another name.",
        "instance": "/skills/taken",
        "details": {"name": "taken"},
    }


def test_who_asks_too_often_is_told_when_to_come_back(client: TestClient) -> None:
    problem_at(client, "/skills/busy", 429)
    assert client.get("/skills/busy").headers["retry-after"] == "7"


def test_an_unknown_failure_says_nothing_of_its_inside_but_where_to_look(client: TestClient) -> None:
    problem = problem_at(client, "/skills/broken", 500)
    assert problem["code"] == "unexpected-failure"
    assert "password" not in str(problem)
    assert "request id" in problem["hint"]


def test_an_answer_that_breaks_off_is_not_followed_by_another(client: TestClient) -> None:
    answer = client.get("/stream")
    assert answer.status_code == 200
    assert answer.content == b"begun"


def test_what_does_not_fit_names_the_field(client: TestClient) -> None:
    problem = problem_at(client, "/count?n=0", 422)
    assert problem["code"] == "invalid-input"
    assert problem["details"]["fields"][0]["field"] == "query.n"
    assert problem["detail"].startswith("query.n: ")
    assert "input" not in problem["details"]["fields"][0]


def test_what_is_not_there_and_what_may_not_be_done_are_problems_too(client: TestClient) -> None:
    assert problem_at(client, "/nothing", 404)["code"] == "not-found"
    answer = client.post("/count")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["allow"] == "GET"


def test_a_callers_request_id_is_kept_when_it_is_one_and_bound_to_every_log_line(client: TestClient) -> None:
    answer = client.get("/skills/some", headers={"X-Request-ID": "trace-1.a_B"})
    assert answer.headers["x-request-id"] == "trace-1.a_B"
    assert answer.json()["request_id"] == "trace-1.a_B"


@pytest.mark.parametrize("sent", ["a b", "x" * 65, 'a"; drop', "é"])
def test_what_is_no_request_id_is_replaced(client: TestClient, sent: str) -> None:
    answered = client.get("/skills/some", headers=[(b"X-Request-ID", sent.encode())]).headers["x-request-id"]
    assert UUID(answered).version == 7


def test_two_requests_have_two_ids(client: TestClient) -> None:
    ids = {client.get("/skills/some").headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2


def test_ready_names_the_part_that_does_not_answer_while_the_process_is_alive(
    client: TestClient, parts: Parts
) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "parts": {"part": {"status": "ok"}}}
    parts.away = True
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["part"] == {
        "status": "unavailable",
        "code": "part-unavailable",
        "problem": "The part is away.",
        "hint": "Start it.",
    }
    assert client.get("/healthz").json() == {"status": "ok"}


def test_metrics_count_by_route_and_status_never_by_what_callers_sent(client: TestClient) -> None:
    for path in ("/skills/one", "/skills/two", "/skills/broken", "/no/such/page"):
        client.get(path)
    metrics = client.get("/metrics").text
    assert 'raptorflow_http_requests_total{method="GET",route="/skills/{name}",status="200"}' in metrics
    assert 'raptorflow_http_requests_total{method="GET",route="/skills/{name}",status="500"}' in metrics
    assert 'raptorflow_http_requests_total{method="GET",route="unmatched",status="404"}' in metrics
    assert 'raptorflow_http_request_seconds_count{method="GET",route="/skills/{name}"}' in metrics
    assert "/no/such/page" not in metrics
