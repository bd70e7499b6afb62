"""Cookies, and the pages of other sites that make a browser send them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings

API = "/api/v1/accounts"
OURS = {"Origin": "http://rf.test"}
NEW = {"name": "x", "scopes": ["accounts:read"]}


@pytest.fixture
async def browser(accounts: AccountsService, client: httpx.AsyncClient, new_person: Any) -> httpx.AsyncClient:
    """A client that was signed in by a page of ours: it has cookies and no token."""
    link = await accounts.one_time_link((await new_person()).user_id)
    answer = await client.post(f"{API}/links/redeem", json={"token": link}, headers=OURS)
    assert (answer.json()["access_token"], answer.json()["refresh_token"]) == (None, None)
    return client


async def test_a_browsers_session_is_in_cookies_that_no_script_reads(
    accounts: AccountsService, client: httpx.AsyncClient, new_person: Any
) -> None:
    link = await accounts.one_time_link((await new_person()).user_id)
    answer = await client.post(f"{API}/links/redeem", json={"token": link}, headers=OURS)
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"rf_access", "rf_refresh"}
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_cookies_are_secure_when_the_public_address_is(
    accounts: AccountsService,
    accounts_settings: AccountsSettings,
    client: httpx.AsyncClient,
    new_person: Any,
) -> None:
    accounts_settings.public_url = "https://skills.example.com"
    for origin in ("https://skills.example.com", "http://rf.test"):
        link = await accounts.one_time_link((await new_person()).user_id)
        answer = await client.post(f"{API}/links/redeem", json={"token": link}, headers={"Origin": origin})
        assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_a_program_gets_tokens_and_no_cookies(
    accounts: AccountsService, client: httpx.AsyncClient, new_person: Any
) -> None:
    link = await accounts.one_time_link((await new_person()).user_id)
    answer = await client.post(f"{API}/links/redeem", json={"token": link})
    assert answer.json()["refresh_token"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://evil.example",
        "http://rf.test.evil.example",
        "http://evil.example/rf.test",
        "http://rf.test:8080",
        "http://user@rf.test",
        "rf.test",
    ],
)
async def test_a_cookie_changes_nothing_for_a_page_of_another_site(
    browser: httpx.AsyncClient, origin: str | None
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    unsafe: list[tuple[str, str, Any]] = [
        ("POST", "/tokens", NEW),
        ("PATCH", "/me", {"name": "Eve"}),
        ("PUT", "/me/password", {"password": "four unrelated plain words"}),
        ("POST", "/sign-out-everywhere", None),
        ("POST", "/refresh", {}),
        ("POST", "/sign-out", {}),
        ("DELETE", f"/tokens/{uuid4()}", None),
    ]
    for method, path, body in unsafe:
        refused = await browser.request(method, API + path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross-site-refused"), path
    assert (await browser.get(f"{API}/me")).json()["name"] == "Ada"


async def test_a_page_of_ours_works_with_cookies_alone(browser: httpx.AsyncClient) -> None:
    assert (await browser.post(f"{API}/tokens", json=NEW, headers=OURS)).status_code == 201
    renewed = await browser.post(f"{API}/refresh", json={}, headers=OURS)
    assert renewed.json()["refresh_token"] is None
    assert (await browser.get(f"{API}/me")).status_code == 200
    out = await browser.post(f"{API}/sign-out", json={}, headers=OURS)
    assert out.status_code == 204
    assert not browser.cookies
    assert (await browser.get(f"{API}/me")).status_code == 401


async def test_switching_ends_the_browsers_session_so_far(browser: httpx.AsyncClient) -> None:
    old = browser.cookies["rf_refresh"]
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    org_id = (await browser.post(f"{API}/organisations", json=new, headers=OURS)).json()["id"]
    choice = {"organisation_id": org_id}
    assert (await browser.post(f"{API}/organisations/switch", json=choice, headers=OURS)).status_code == 200
    assert (await browser.get(f"{API}/me")).json()["organisation_id"] == org_id
    kept = await browser.post(f"{API}/refresh", json={"refresh_token": old})
    assert kept.status_code == 401


async def test_no_other_sites_page_signs_a_browser_in(
    accounts: AccountsService, client: httpx.AsyncClient, new_person: Any
) -> None:
    """Otherwise it could sign its visitor in to an account of its own, and read what is done there."""
    link = await accounts.one_time_link((await new_person()).user_id)
    foreign = {"Origin": "https://evil.example"}
    for path, body in (("links/redeem", {"token": link}), ("sign-in", {"email": "a@b", "password": "x"})):
        refused = await client.post(f"{API}/{path}", json=body, headers=foreign)
        assert refused.json()["code"] == "cross-site-refused"
    assert not client.cookies
    answer = await client.post(f"{API}/links/redeem", json={"token": link}, headers=OURS)
    assert answer.status_code == 200
