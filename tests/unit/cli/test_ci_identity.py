"""How a build says who it is: the provider and the server are real HTTP servers on loopback."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from tests.serving import served

from raptorflow.cli.client import ServerRefused, ServerUnreachable
from raptorflow.cli.skill.ci_identity import IdentityUnavailable, access_from_ci

NAMES = (
    "RAPTORFLOW_ORGANISATION",
    "RAPTORFLOW_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)


@dataclass
class Place:
    """A provider below `/id` and a server beside it; what either answers is the test's to say."""

    url: str
    identity: Response = field(default_factory=lambda: JSONResponse({"value": "an.identity.token"}))
    trade: Response = field(default_factory=lambda: JSONResponse({"access_token": "rf_pat_x"}))
    asked: list[tuple[dict[str, str], str | None]] = field(default_factory=list[Any])
    sent: list[Any] = field(default_factory=list[Any])


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Place]:
    place, app = Place(""), FastAPI()

    @app.get("/id")
    async def identity(request: Request) -> Response:
        place.asked.append((dict(request.query_params), request.headers.get("authorization")))
        return place.identity

    @app.post("/api/v1/accounts/ci/exchange")
    async def exchange(request: Request) -> Response:
        place.sent.append(await request.json())
        return place.trade

    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAPTORFLOW_ORGANISATION", "acme")
    async with served(app) as place.url:
        yield place


def in_github(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{place.url}/id?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "grant")


async def test_github_is_asked_for_a_token_made_out_to_the_server(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_github(place, monkeypatch)
    access = await access_from_ci(place.url + "/")
    assert access
    assert access.get_secret_value() == "rf_pat_x"
    assert place.asked == [({"api-version": "2.0", "audience": place.url}, "Bearer grant")]
    assert place.sent == [{"token": "an.identity.token", "organisation": "acme"}]


async def test_gitlab_hands_its_token_over_in_the_environment(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPTORFLOW_ID_TOKEN", "from.git.lab")
    assert await access_from_ci(place.url)
    assert (place.asked, place.sent[0]["token"]) == ([], "from.git.lab")


async def test_outside_of_ci_and_without_an_organisation_nobody_is_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await access_from_ci(place.url) is None
    in_github(place, monkeypatch)
    monkeypatch.delenv("RAPTORFLOW_ORGANISATION")
    assert await access_from_ci(place.url) is None
    assert (place.asked, place.sent) == ([], [])


@pytest.mark.parametrize(
    "answer",
    [Response("no", 403), JSONResponse({}), JSONResponse({"value": 7}), JSONResponse([]), Response("{")],
)
async def test_a_provider_that_gives_no_token_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, answer: Response
) -> None:
    in_github(place, monkeypatch)
    place.identity = answer
    with pytest.raises(IdentityUnavailable):
        await access_from_ci(place.url)
    assert place.sent == []


@pytest.mark.parametrize("url", ["http://ci.example/id", "ftp://ci.example", "nonsense", "http://[::1"])
async def test_the_requests_token_is_sent_over_https_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    in_github(place, monkeypatch)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
    with pytest.raises(IdentityUnavailable):
        await access_from_ci(place.url)


async def test_a_server_that_does_not_trust_the_build_says_why(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_github(place, monkeypatch)
    problem = {"code": "publisher-not-trusted", "detail": "acme does not trust it.", "status": 403}
    place.trade = JSONResponse(problem, 403)
    with pytest.raises(ServerRefused, match="does not trust"):
        await access_from_ci(place.url)


@pytest.mark.parametrize(
    "answer", [Response("<html>", 200), JSONResponse([]), JSONResponse({"access_token": 7})]
)
async def test_an_answer_that_is_none_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, answer: Response
) -> None:
    in_github(place, monkeypatch)
    place.trade = answer
    with pytest.raises(ServerRefused):
        await access_from_ci(place.url)


async def test_a_server_that_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    in_github(place, monkeypatch)
    with pytest.raises(ServerUnreachable):
        await access_from_ci("http://127.0.0.1:1")
