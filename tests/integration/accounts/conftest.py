"""A small application with the accounts room alone, over the session's real parts, and people who use it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from raptorflow.accounts.endpoints import router
from raptorflow.accounts.schemas import TokenPair
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.core.db import Database
from raptorflow.core.http import install_http
from raptorflow.core.valkey import Valkey, open_valkey
from raptorflow.stack.postgres import PostgresUrls

API = "/api/v1/accounts"


@dataclass
class Person:
    """Somebody who is signed in by bearer token."""

    email: str
    user_id: UUID
    pair: TokenPair
    client: httpx.AsyncClient

    async def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.pair.access_token}"}
        return await self.client.request(method, API + path, json=body, headers=headers)


NewPerson = Callable[[], Awaitable[Person]]


@pytest.fixture
def accounts_settings() -> AccountsSettings:
    return AccountsSettings(
        secret=SecretStr("a secret of the tests"), sign_in_attempts=3, sign_in_attempts_per_address=1000
    )


@pytest.fixture
async def accounts_database(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    database = Database(migrated_database.app_url, pool_size=10)
    yield database
    await database.close()


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncGenerator[Valkey]:
    client = open_valkey(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
async def accounts(
    accounts_database: Database, valkey: Valkey, accounts_settings: AccountsSettings
) -> AccountsService:
    service = AccountsService(accounts_database, valkey, accounts_settings)
    await service.open()
    return service


@pytest.fixture
async def client(accounts: AccountsService) -> AsyncGenerator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.accounts = accounts
    install_http(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rf.test") as client:
        yield client


@pytest.fixture
def new_person(accounts: AccountsService, client: httpx.AsyncClient) -> NewPerson:
    """Makes people, each with a personal organisation and a session."""

    async def make() -> Person:
        email = f"user-{uuid4().hex}@example.com"
        user_id = await accounts.create_user(email, "Ada")
        pair = await accounts.redeem_link(await accounts.one_time_link(user_id))
        return Person(email, user_id, pair, client)

    return make
