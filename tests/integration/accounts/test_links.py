"""Signing in by a one-time link, over HTTP and a real database."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx

from raptorflow.accounts.schemas import NewPassword
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey
from raptorflow.stack.postgres import PostgresUrls

API = "/api/v1/accounts"


async def test_a_link_signs_in_once_however_many_try_at_once(
    accounts: AccountsService, client: httpx.AsyncClient, new_person: Any
) -> None:
    token = await accounts.one_time_link((await new_person()).user_id)
    answers = await asyncio.gather(
        *(client.post(f"{API}/links/redeem", json={"token": token}) for _ in range(16))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15
    refused = next(answer for answer in answers if answer.status_code == 401)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "link-spent"
    assert token not in refused.text


async def test_an_old_link_does_not_work(
    accounts: AccountsService, accounts_settings: AccountsSettings, client: httpx.AsyncClient, new_person: Any
) -> None:
    person = await new_person()
    accounts_settings.link_seconds = 0
    token = await accounts.one_time_link(person.user_id)
    assert (await client.post(f"{API}/links/redeem", json={"token": token})).json()["code"] == "link-spent"


async def test_two_processes_may_make_the_same_user_and_organisation_at_once(
    accounts_database: Database, valkey: Valkey, accounts_settings: AccountsSettings
) -> None:
    services = [AccountsService(accounts_database, valkey, accounts_settings) for _ in range(5)]
    email, slug = f"{uuid4().hex}@example.com", f"org-{uuid4().hex[:12]}"
    users = await asyncio.gather(*(service.ensure_user(email, "Admin", admin=True) for service in services))
    assert len(set(users)) == 1
    orgs = await asyncio.gather(*(service.ensure_organisation(slug, "Org") for service in services))
    assert len(set(orgs)) == 1
    links = await asyncio.gather(*(service.one_time_link(users[0]) for service in services))
    assert len(set(links)) == 5


async def test_one_connection_is_enough_for_everything(
    migrated_database: PostgresUrls, valkey: Valkey, accounts_settings: AccountsSettings
) -> None:
    """`raptorflow run` prepares the first sign-in with a pool of one; nothing may wait for a second."""
    database = Database(migrated_database.app_url, pool_size=1)
    try:
        service = AccountsService(database, valkey, accounts_settings)
        user_id = await service.ensure_user(f"{uuid4().hex}@example.com", "Admin", admin=True)
        token = await service.local_token(user_id, "this machine")
        pair = await service.redeem_link(await service.one_time_link(user_id))
        caller = await service.authenticate(pair.access_token)
        assert await service.authenticate(token) == replace(caller, method="token")
        change = NewPassword.model_validate({"password": "four unrelated plain words"})
        renewed = await service.sessions.refresh(
            (await service.sessions.set_password(caller, change)).refresh_token
        )
        assert await service.authenticate(renewed.access_token) == caller
    finally:
        await database.close()
