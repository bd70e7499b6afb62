"""A small application with the accounts room alone, over the session's real parts."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from raptorflow.accounts.endpoints import router
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.core.db import Database
from raptorflow.core.http import install_http
from raptorflow.core.valkey import open_valkey
from raptorflow.stack.postgres import PostgresUrls


@pytest.fixture
def accounts_settings() -> AccountsSettings:
    return AccountsSettings(secret=SecretStr("a secret of the tests"), sign_in_attempts=3)


@pytest.fixture
async def accounts_database(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    database = Database(migrated_database.app_url, pool_size=10)
    yield database
    await database.close()


@pytest.fixture
async def accounts(
    accounts_database: Database, valkey_url: str, accounts_settings: AccountsSettings
) -> AsyncGenerator[AccountsService]:
    valkey = open_valkey(valkey_url)
    service = AccountsService(accounts_database, valkey, accounts_settings)
    await service.open()
    yield service
    await valkey.aclose()


@pytest.fixture
async def client(accounts: AccountsService) -> AsyncGenerator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.accounts = accounts
    install_http(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rf.test") as client:
        yield client
