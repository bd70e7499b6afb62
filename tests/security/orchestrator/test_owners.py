"""Sessions, runs, files and events are their user's alone: not another user's, not another organisation's."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from raptorflow.accounts.identity import Caller
from raptorflow.accounts.schemas import NewAccessToken, NewInvitation
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps, loads

API = "/api/v1/orchestrator"


@dataclass
class Person:
    user_id: UUID
    headers: dict[str, str]


@dataclass
class Belongings:
    """What somebody has."""

    session_id: str
    run_id: str
    file_id: str


async def new_person(accounts: Any) -> Person:
    user_id = await accounts.create_user(f"{new_id()}@example.org", "Somebody")
    pair = await accounts.redeem_link(await accounts.one_time_link(user_id))
    return Person(user_id, {"Authorization": f"Bearer {pair.access_token}"})


async def belongings(url: str, person: Person) -> Belongings:
    async with httpx.AsyncClient(base_url=url, headers=person.headers) as http:
        session = (await http.post(f"{API}/sessions", json={})).json()
        file = (await http.post(f"{API}/files", params={"name": "secret.txt"}, content=b"mine")).json()
        message = {"text": "mine", "files": [file["id"]]}
        run = await http.post(f"{API}/sessions/{session['id']}/messages", json=message)
    return Belongings(session["id"], run.json()["id"], file["id"])


def requests_for(theirs: Belongings) -> list[tuple[str, str, JsonObject | None]]:
    return [
        ("GET", f"/sessions/{theirs.session_id}", None),
        ("PATCH", f"/sessions/{theirs.session_id}", {"title": "hers"}),
        ("DELETE", f"/sessions/{theirs.session_id}", None),
        ("GET", f"/sessions/{theirs.session_id}/history", None),
        ("POST", f"/sessions/{theirs.session_id}/messages", {"text": "hello"}),
        ("POST", f"/sessions/{theirs.session_id}/messages", {"text": "x", "replaces": theirs.run_id}),
        ("GET", f"/runs/{theirs.run_id}", None),
        ("GET", f"/runs/{theirs.run_id}/events", None),
        ("POST", f"/runs/{theirs.run_id}/cancel", None),
        ("GET", f"/files/{theirs.file_id}", None),
        ("GET", f"/files/{theirs.file_id}/content", None),
    ]


async def test_another_organisations_user_finds_nothing(server: tuple[str, Any]) -> None:
    url, accounts = server
    owner, stranger = await new_person(accounts), await new_person(accounts)
    await nothing_is_found(url, await belongings(url, owner), stranger.headers)


async def test_another_user_of_the_same_organisation_finds_nothing(server: tuple[str, Any]) -> None:
    """Row-level security lets both in; the owner's id in every query keeps them apart."""
    url, accounts = server
    owner, colleague = await new_person(accounts), await new_person(accounts)
    owner_caller, caller = await caller_of(accounts, owner), await caller_of(accounts, colleague)
    email = next(member.email for member in await accounts.members(caller))
    invitation = await accounts.invite(owner_caller, NewInvitation(email=email))
    await accounts.accept_invitation(caller, invitation.link_token)
    pair = await accounts.switch_organisation(caller, owner_caller.org_id)
    headers = {"Authorization": f"Bearer {pair.access_token}"}
    assert (await caller_of(accounts, Person(colleague.user_id, headers))).org_id == owner_caller.org_id
    await nothing_is_found(url, await belongings(url, owner), headers)


async def caller_of(accounts: Any, person: Person) -> Caller:
    return await accounts.authenticate(person.headers["Authorization"].split()[1])


async def nothing_is_found(url: str, theirs: Belongings, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        for method, path, body in requests_for(theirs):
            answer = await http.request(method, API + path, json=body)
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
            assert "mine" not in answer.text
        own = (await http.post(f"{API}/sessions", json={})).json()["id"]
        assert [session["id"] for session in (await http.get(f"{API}/sessions")).json()] == [own]
        for message, code in (
            ({"text": "read it", "files": [theirs.file_id]}, "file-not-found"),
            ({"text": "instead", "replaces": theirs.run_id}, "run-not-found"),
        ):
            stolen = await http.post(f"{API}/sessions/{own}/messages", json=message)
            assert (stolen.status_code, stolen.json()["code"]) == (404, code)
        for query in ({}, {"session_id": theirs.session_id}, {"before": theirs.run_id}):
            assert (await http.get(f"{API}/runs", params=query)).json() == []
    for query in ("", "?after=0", f"?after=0&run_id={theirs.run_id}"):
        assert await status_of_socket(url, f"{theirs.session_id}{query}", headers) == 404
    assert await status_of_socket(url, f"{own}?after=0&run_id={theirs.run_id}", headers) == 404
    await commands_reach_nothing(url, own, theirs, headers)


async def commands_reach_nothing(url: str, own: str, theirs: Belongings, headers: dict[str, str]) -> None:
    async with connect(socket_url(url, own), additional_headers=headers) as connection:
        for command in (
            {"type": "resume", "run_id": theirs.run_id},
            {"type": "cancel", "run_id": theirs.run_id},
            {"type": "message", "text": "x", "files": [theirs.file_id]},
            {"type": "message", "text": "x", "replaces": theirs.run_id},
        ):
            await connection.send(dumps(command))
            while (event := loads(await connection.recv())).get("name") != "refused":
                assert event["type"] in {"MESSAGES_SNAPSHOT", "STATE_SNAPSHOT"}
            assert event["value"]["status"] == 404


async def test_nobody_is_let_in_without_a_token(server: tuple[str, Any]) -> None:
    url, accounts = server
    theirs = await belongings(url, await new_person(accounts))
    async with httpx.AsyncClient(base_url=url) as http:
        for method, path, body in [*requests_for(theirs), ("GET", "/runs", None), ("POST", "/trials", {})]:
            assert (await http.request(method, API + path, json=body)).status_code == 401
    assert await status_of_socket(url, theirs.session_id, {}) == 401
    assert await status_of_socket(url, theirs.session_id, {"Authorization": "Bearer x"}) == 401


async def test_a_cookie_from_another_sites_page_opens_no_socket(server: tuple[str, Any]) -> None:
    url, accounts = server
    owner = await new_person(accounts)
    theirs = await belongings(url, owner)
    cookie = {"Cookie": f"rf_access={owner.headers['Authorization'].split()[1]}"}
    evil = {**cookie, "Origin": "https://evil.example"}
    assert await status_of_socket(url, theirs.session_id, evil) == 403
    assert await status_of_socket(url, theirs.session_id, {**cookie, "Origin": url}) == 101


async def test_a_token_that_may_only_read_sends_nothing(server: tuple[str, Any]) -> None:
    url, accounts = server
    owner = await new_person(accounts)
    theirs = await belongings(url, owner)
    caller = await caller_of(accounts, owner)
    made = await accounts.create_access_token(
        caller, NewAccessToken(name="reader", scopes=["orchestrator:read"])
    )
    headers = {"Authorization": f"Bearer {made.token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        assert (await http.get(f"{API}/sessions/{theirs.session_id}")).status_code == 200
        sent = await http.post(f"{API}/sessions/{theirs.session_id}/messages", json={"text": "x"})
        assert sent.json()["code"] == "scope-missing"
        for method, path, body in (
            ("PATCH", f"/sessions/{theirs.session_id}", {"title": "x"}),
            ("DELETE", f"/sessions/{theirs.session_id}", None),
            ("POST", "/trials", {"skill": "x", "action": "y"}),
        ):
            refused = await http.request(method, API + path, json=body)
            assert refused.json()["code"] == "scope-missing"
        assert (await http.get(f"{API}/runs")).status_code == 200
    async with connect(socket_url(url, theirs.session_id), additional_headers=headers) as connection:
        await connection.send(dumps({"type": "cancel", "run_id": theirs.run_id}))
        while (event := loads(await connection.recv())).get("name") != "refused":
            continue
    assert event["value"]["code"] == "scope-missing"


async def test_an_uploaded_page_is_never_shown_as_one(server: tuple[str, Any]) -> None:
    url, accounts = server
    owner = await new_person(accounts)
    async with httpx.AsyncClient(base_url=url, headers=owner.headers) as http:
        page = b"<script>alert(1)</script>"
        file = (await http.post(f"{API}/files", params={"name": '"\r\nX: y.html'}, content=page)).json()
        answer = await http.get(f"{API}/files/{file['id']}/content")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "x" not in answer.headers


async def test_answers_do_not_tell_what_exists(server: tuple[str, Any]) -> None:
    """Somebody else's run and no run at all look the same."""
    url, accounts = server
    theirs = await belongings(url, await new_person(accounts))
    stranger = await new_person(accounts)
    async with httpx.AsyncClient(base_url=url, headers=stranger.headers) as http:
        existing = (await http.get(f"{API}/runs/{theirs.run_id}")).json()
        missing = (await http.get(f"{API}/runs/{new_id()}")).json()
    assert {existing["code"], missing["code"]} == {"run-not-found"}


def socket_url(url: str, rest: str) -> str:
    return f"ws{url.removeprefix('http')}/ws/sessions/{rest}"


async def status_of_socket(url: str, rest: str, headers: dict[str, str]) -> int:
    try:
        async with connect(socket_url(url, rest), additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
