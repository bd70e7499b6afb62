"""Nothing secret in answers, logs or the database; nothing to learn from how much work an answer takes."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from sqlalchemy import select

from raptorflow.accounts.models import (
    AccessToken,
    Invitation,
    OneTimeLink,
    RefreshToken,
    SigningKey,
    User,
)
from raptorflow.accounts.service import AccountsService
from raptorflow.core.db import Database

API = "/api/v1/accounts"
PASSWORD = "four unrelated plain words"
TABLES = (User, OneTimeLink, RefreshToken, AccessToken, Invitation, SigningKey)


async def test_an_unknown_address_is_as_much_work_as_a_wrong_password(
    new_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argon2 is all that takes long: as many hashes, of the same cost, are computed for both."""
    work: list[Parameters] = []
    verify = PasswordHasher.verify

    def noting(hasher: PasswordHasher, known: str, password: str) -> bool:
        work.append(extract_parameters(known))
        return verify(hasher, known, password)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    person = await new_person()
    await person.send("PUT", "/me/password", {"password": PASSWORD})
    done: list[list[Parameters]] = []
    for email in (person.email, f"{uuid4().hex}@example.com"):
        work.clear()
        refused = await person.client.post(
            f"{API}/sign-in", json={"email": email, "password": "a wrong password"}
        )
        assert refused.json()["detail"] == "The address or the password is wrong."
        done.append(list(work))
    known, unknown = done
    assert len(known) == 1
    assert unknown == known


@pytest.mark.parametrize("address", ["a\x00b@example.com", "no address", "@", "a@b\n", "\ud800@example.com"])
async def test_no_strange_text_breaks_signing_in(client: httpx.AsyncClient, address: str) -> None:
    body = {"email": address, "password": "a wrong password"}
    answer = await client.post(
        f"{API}/sign-in", content=_json(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert "a wrong password" not in answer.text


@pytest.mark.parametrize("name", ["", " ", "a\x00b", "a\nb", "x" * 201])
async def test_no_strange_name_is_taken(new_person: Any, name: str) -> None:
    person = await new_person()
    for method, path, body in (
        ("PATCH", "/me", {"name": name}),
        ("POST", "/tokens", {"name": name, "scopes": ["accounts:read"]}),
        ("POST", "/organisations", {"name": name, "slug": f"org-{uuid4().hex[:8]}"}),
    ):
        assert (await person.send(method, path, body)).status_code == 422, path


async def test_a_password_of_a_megabyte_is_not_hashed(client: httpx.AsyncClient) -> None:
    body = {"email": "a@example.com", "password": "x" * 1_000_000}
    assert (await client.post(f"{API}/sign-in", json=body)).status_code == 422


async def test_no_secret_stands_in_logs_answers_or_tables(
    logged: Callable[[], str],
    accounts: AccountsService,
    accounts_database: Database,
    client: httpx.AsyncClient,
    new_person: Any,
) -> None:
    secrets = await _live(accounts, client, await new_person())
    said = logged()
    assert "signed in by link" in said
    assert "sign-in refused" in said
    async with accounts_database.system_session() as session:
        rows = [str((await session.execute(select(table.__table__))).all()) for table in TABLES]
    assert "$argon2id$" in rows[0]
    for secret in secrets:
        assert secret not in said
        assert all(secret not in row for row in rows)


async def _live(accounts: AccountsService, client: httpx.AsyncClient, person: Any) -> list[str]:
    """Use every secret rightly and wrongly; all of them."""
    link = await accounts.one_time_link(person.user_id)
    pair = (await client.post(f"{API}/links/redeem", json={"token": link})).json()
    token = pair["access_token"]
    made = await person.send("POST", "/tokens", {"name": "x", "scopes": ["accounts:read"]}, token=token)
    invited = await person.send("POST", "/invitations", {"email": f"{uuid4().hex}@b"}, token=token)
    personal, invitation = made.json()["token"], invited.json()["link_token"]
    password = f"{uuid4().hex} {uuid4().hex}"
    changed = await person.send("PUT", "/me/password", {"password": password}, token=token)
    secrets = [link, *_tokens(pair), personal, invitation, password, *_tokens(changed.json())]
    sign_in = {"email": person.email, "password": password}
    secrets += _tokens((await client.post(f"{API}/sign-in", json=sign_in)).json())
    refusals = [
        await client.post(f"{API}/sign-in", json=sign_in | {"password": password + "?"}),
        await client.post(f"{API}/links/redeem", json={"token": link}),
        await client.post(f"{API}/refresh", json={"refresh_token": pair["refresh_token"]}),
        await person.send("GET", "/me", token=personal[:-1] + "_"),
        await person.send("GET", "/me", token=token),
        await person.send("PUT", "/me/password", {"password": password}, token=personal),
        await client.post(f"{API}/refresh", json={"refresh_token": {"token": pair["refresh_token"]}}),
    ]
    for refusal in refusals:
        assert refusal.status_code >= 400
        assert refusal.headers["content-type"] == "application/problem+json"
        assert not [secret for secret in secrets if secret in refusal.text]
    return secrets


def _tokens(pair: dict[str, Any]) -> list[str]:
    return [pair["access_token"], pair["refresh_token"]]


def _json(body: dict[str, str]) -> bytes:
    """JSON with escapes for what UTF-8 cannot carry."""
    escaped = {key: "".join(f"\\u{ord(letter):04x}" for letter in value) for key, value in body.items()}
    return ("{" + ",".join(f'"{key}":"{value}"' for key, value in escaped.items()) + "}").encode()
