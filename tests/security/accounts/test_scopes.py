"""A personal access token never becomes more than it was made for."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from raptorflow.accounts.endpoints import router

API = "/api/v1/accounts"
EVERYTHING = ["accounts:read", "accounts:write", "registry:read", "registry:write"]
MAKES_CREDENTIALS = [
    ("POST", "/tokens", {"name": "y", "scopes": ["accounts:read"]}),
    ("PUT", "/me/password", {"password": "four unrelated plain words"}),
    ("POST", "/organisations", {"slug": "mine-too", "name": "Mine"}),
    ("POST", "/invitations", {"email": "x@example.com"}),
    ("POST", "/invitations/accept", {"token": "rf_inv_x"}),
    ("POST", "/users", {"email": "x@example.com", "name": "X"}),
    ("POST", "/publishers", {"repository": "octo/skills", "workflow": "publish.yml"}),
    ("POST", "/users/links", {"email": "x@example.com"}),
    ("POST", "/sign-out-everywhere", None),
]


async def personal(person: Any, *scopes: str) -> str:
    made = await person.send("POST", "/tokens", {"name": "x", "scopes": list(scopes)})
    return made.json()["token"]


@pytest.mark.parametrize(("method", "path", "body"), MAKES_CREDENTIALS)
async def test_a_token_makes_no_other_credentials(
    new_person: Any, method: str, path: str, body: dict[str, Any] | None
) -> None:
    person = await new_person()
    refused = await person.send(method, path, body, token=await personal(person, *EVERYTHING))
    assert (refused.status_code, refused.json()["code"]) == (403, "session-needed")


async def test_a_token_does_not_become_a_session(new_person: Any) -> None:
    person = await new_person()
    org_id = (await person.send("GET", "/me")).json()["organisation_id"]
    token = await personal(person, *EVERYTHING)
    refused = await person.send("POST", "/organisations/switch", {"organisation_id": org_id}, token=token)
    assert refused.json()["code"] == "session-needed"


async def test_each_scope_opens_its_own_doors(new_person: Any) -> None:
    person = await new_person()
    reading, other = await personal(person, "accounts:read"), await personal(person, "registry:write")
    for method, path, body in (
        ("PATCH", "/me", {"name": "Eve"}),
        ("DELETE", f"/tokens/{uuid4()}", None),
        ("PUT", f"/members/{person.user_id}", {"role": "owner"}),
    ):
        refused = await person.send(method, path, body, token=reading)
        assert refused.json()["code"] == "scope-missing", path
    for path in ("/me", "/tokens", "/members", "/organisations"):
        assert (await person.send("GET", path, token=reading)).status_code == 200
        assert (await person.send("GET", path, token=other)).json()["code"] == "scope-missing"


async def test_scopes_that_do_not_exist_cannot_be_given(new_person: Any) -> None:
    person = await new_person()
    for scope in ("*", "accounts:*", "server:admin", ""):
        refused = await person.send("POST", "/tokens", {"name": "x", "scopes": [scope]})
        assert refused.json()["code"] == "scope-missing", scope


async def test_nothing_but_signing_in_is_open_to_strangers(client: httpx.AsyncClient) -> None:
    """Every endpoint of the room, found from its routes, so that a new one is held to it too."""
    app = FastAPI()
    app.include_router(router)
    open_to_all = {"/links/redeem", "/sign-in", "/refresh", "/sign-out", "/ci/exchange"}
    tried = 0
    for path, operations in app.openapi()["paths"].items():
        if path.removeprefix(API) in open_to_all:
            continue
        for method in operations:
            answer = await client.request(method, path.replace("{", "").replace("}", ""), json={})
            assert answer.status_code in {401, 422}, f"{method} {path}: {answer.status_code}"
            tried += answer.status_code == 401
    assert tried >= 15
