"""Signing in, tokens and members, over HTTP and a real database."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from raptorflow.accounts.errors import RefreshReused, TokenRefused
from raptorflow.accounts.keyring import load_issuer, rotate_key
from raptorflow.accounts.schemas import TokenPair
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.core.db import Database

API = "/api/v1/accounts"
PASSWORD = "four unrelated plain words"


def email() -> str:
    return f"user-{uuid4().hex}@example.com"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def signed_in(accounts: AccountsService, address: str | None = None) -> TokenPair:
    user_id = await accounts.create_user(address or email(), "Ada")
    return await accounts.redeem_link(await accounts.one_time_link(user_id))


async def test_a_link_signs_in_once_however_many_try_at_once(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    token = await accounts.one_time_link(await accounts.create_user(email(), "Ada"))
    answers = await asyncio.gather(
        *(client.post(f"{API}/links/redeem", json={"token": token}) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    refused = next(answer for answer in answers if answer.status_code == 401)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "link-spent"
    assert token not in refused.text


async def test_opening_the_page_of_a_link_does_not_use_it_up(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    token = await accounts.one_time_link(await accounts.create_user(email(), "Ada"))
    page = await client.get("/sign-in", params={"token": token})
    assert token in page.text
    assert "script" not in page.text
    done = await client.post("/sign-in", data={"token": token})
    assert done.status_code == 200
    assert (await client.get(f"{API}/me")).json()["name"] == "Ada"


async def test_a_password_signs_in_and_failures_are_limited(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    address = email()
    pair = await signed_in(accounts, address)
    change = {"password": PASSWORD}
    weak = await client.put(
        f"{API}/me/password", json={"password": "password1234"}, headers=bearer(pair.access_token)
    )
    assert weak.json()["code"] == "password-too-weak"
    done = await client.put(f"{API}/me/password", json=change, headers=bearer(pair.access_token))
    assert done.status_code == 204
    again = await client.put(f"{API}/me/password", json=change, headers=bearer(pair.access_token))
    assert again.json()["code"] == "sign-in-refused"
    right = {"email": address.upper(), "password": PASSWORD}
    assert (await client.post(f"{API}/sign-in", json=right)).status_code == 200
    wrong = {"email": address, "password": "something else entirely"}
    codes = [(await client.post(f"{API}/sign-in", json=wrong)).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    limited = await client.post(f"{API}/sign-in", json=right)
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) > 0


async def test_refresh_tokens_rotate_and_a_late_reuse_ends_the_session(
    accounts: AccountsService, accounts_settings: AccountsSettings
) -> None:
    first = await signed_in(accounts)
    second = await accounts.refresh(first.refresh_token)
    again = await accounts.refresh(first.refresh_token)
    assert again.refresh_token != second.refresh_token
    accounts_settings.refresh_grace_seconds = 0
    with pytest.raises(RefreshReused):
        await accounts.refresh(first.refresh_token)
    for token in (second.refresh_token, again.refresh_token):
        with pytest.raises(TokenRefused):
            await accounts.refresh(token)


async def test_signing_out_everywhere_ends_every_session(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    address = email()
    pair = await signed_in(accounts, address)
    other = await accounts.redeem_link(
        await accounts.one_time_link(await accounts.ensure_user(address, "Ada"))
    )
    answer = await client.post(f"{API}/sign-out-everywhere", headers=bearer(pair.access_token))
    assert answer.status_code == 204
    for token in (pair.access_token, other.access_token):
        assert (await client.get(f"{API}/me", headers=bearer(token))).json()["code"] == "token-refused"
    with pytest.raises(TokenRefused):
        await accounts.refresh(other.refresh_token)


async def test_a_personal_access_token_is_shown_once_and_holds_its_scopes(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    headers = bearer((await signed_in(accounts)).access_token)
    new = {"name": "ci", "scopes": ["accounts:read"]}
    made = (await client.post(f"{API}/tokens", json=new, headers=headers)).json()
    listed = (await client.get(f"{API}/tokens", headers=headers)).json()
    assert [token["name"] for token in listed] == ["ci"]
    assert made["token"] not in str(listed)
    mine = bearer(made["token"])
    assert (await client.get(f"{API}/me", headers=mine)).status_code == 200
    beyond = await client.post(f"{API}/tokens", json=new, headers=mine)
    assert (beyond.status_code, beyond.json()["code"]) == (403, "scope-missing")
    assert (await client.delete(f"{API}/tokens/{made['id']}", headers=headers)).status_code == 204
    assert (await client.get(f"{API}/me", headers=mine)).status_code == 401


async def test_members_act_within_their_role(accounts: AccountsService, client: httpx.AsyncClient) -> None:
    owner = await signed_in(accounts)
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    organisation = (
        await client.post(f"{API}/organisations", json=new, headers=bearer(owner.access_token))
    ).json()
    choice = {"organisation_id": organisation["id"]}
    acting = (
        await client.post(f"{API}/organisations/switch", json=choice, headers=bearer(owner.access_token))
    ).json()["access_token"]
    invited = (
        await client.post(f"{API}/members", json={"email": email(), "role": "member"}, headers=bearer(acting))
    ).json()
    member_pair = await accounts.redeem_link(invited["link_token"])
    member = (
        await client.post(
            f"{API}/organisations/switch", json=choice, headers=bearer(member_pair.access_token)
        )
    ).json()["access_token"]
    assert len((await client.get(f"{API}/members", headers=bearer(member))).json()) == 2
    refused = await client.post(f"{API}/members", json={"email": email()}, headers=bearer(member))
    assert refused.json()["code"] == "role-too-low"
    me = (await client.get(f"{API}/me", headers=bearer(acting))).json()
    alone = await client.delete(f"{API}/members/{me['id']}", headers=bearer(acting))
    assert alone.json()["code"] == "last-owner"
    removed = await client.delete(f"{API}/members/{invited['user_id']}", headers=bearer(acting))
    assert removed.status_code == 204
    assert (await client.get(f"{API}/members", headers=bearer(member))).status_code == 401


async def test_nobody_acts_for_an_organisation_of_others(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    mine, theirs = await signed_in(accounts), await signed_in(accounts)
    victim = (await client.get(f"{API}/me", headers=bearer(theirs.access_token))).json()
    headers = bearer(mine.access_token)
    choice = {"organisation_id": victim["organisation_id"]}
    assert (await client.post(f"{API}/organisations/switch", json=choice, headers=headers)).status_code == 401
    new = {"name": "x", "scopes": ["accounts:read"]}
    token = (await client.post(f"{API}/tokens", json=new, headers=bearer(theirs.access_token))).json()
    assert (await client.delete(f"{API}/tokens/{token['id']}", headers=headers)).status_code == 404
    assert (
        await client.put(f"{API}/members/{victim['id']}", json={"role": "member"}, headers=headers)
    ).status_code == 404


async def test_cookies_work_for_our_own_pages_alone(
    accounts: AccountsService, client: httpx.AsyncClient
) -> None:
    user_id = await accounts.create_user(email(), "Ada")
    token = await accounts.one_time_link(user_id)
    await client.post(f"{API}/links/redeem", json={"token": token})
    new = {"name": "x", "scopes": ["accounts:read"]}
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = await client.post(f"{API}/tokens", json=new, headers=origin)
        assert refused.json()["code"] == "cross-site-refused"
    assert (
        await client.post(f"{API}/tokens", json=new, headers={"Origin": "http://rf.test"})
    ).status_code == 201


async def test_a_rotated_key_signs_and_the_one_before_still_verifies(
    accounts: AccountsService,
    accounts_settings: AccountsSettings,
    accounts_database: Database,
    client: httpx.AsyncClient,
) -> None:
    pair = await signed_in(accounts)
    await rotate_key(accounts_database, accounts_settings)
    fresh = await load_issuer(accounts_database, accounts_settings)
    assert fresh.verify(pair.access_token)
    assert len(fresh.jwks()["keys"]) == 2
    assert "d" not in (await client.get("/.well-known/jwks.json")).json()["keys"][0]
