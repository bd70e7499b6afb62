"""The registry's API over real parts, with a worker's engine in this process, and people who use it."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.ids import new_id
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.http import install_http
from raptorflow.core.settings import EngineSettings
from raptorflow.core.valkey import open_valkey
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import HashingEmbedder
from raptorflow.registry.endpoints import router
from raptorflow.registry.settings import RegistrySettings
from raptorflow.skills.archive import pack_files
from raptorflow.stack.postgres import PostgresUrls

API = "/api/v1/registry"
POLL_SECONDS = 0.02
LIMIT_SECONDS = 60.0


@dataclass
class Person:
    """Somebody with a personal organisation, who is signed in."""

    org_id: UUID
    namespace: str
    http: httpx.AsyncClient

    async def publish(self, name: str, files: dict[str, str], visibility: str = "org") -> dict[str, Any]:
        """Publish and wait for the end."""
        content = pack_files(name, {path: text.encode() for path, text in files.items()}, ())
        taken = await self.http.post(f"{API}/publishes", params={"visibility": visibility}, content=content)
        assert taken.status_code == 202, taken.text
        receipt = taken.json()
        async with asyncio.timeout(LIMIT_SECONDS):
            while receipt["status"] not in {"published", "failed"}:
                await asyncio.sleep(POLL_SECONDS)
                receipt = (await self.http.get(f"{API}/publishes/{receipt['publish_id']}")).json()
        assert receipt["status"] == "published", receipt
        return receipt


NewPerson = Callable[[], Awaitable[Person]]


@pytest.fixture(scope="session")
async def registry_app(
    migrated_database: PostgresUrls, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[FastAPI]:
    data = tmp_path_factory.mktemp("registry-api")
    database, valkey = Database(migrated_database.app_url, pool_size=10), open_valkey(valkey_url)
    app = FastAPI()
    app.state.accounts = AccountsService(
        database, valkey, AccountsSettings(secret=SecretStr("a secret of the tests"))
    )
    await app.state.accounts.open()
    blobs, places = open_blobs(str(data / "blobs")), (data, Path(sys.executable))
    app.state.registry = build_registry(database, blobs, HashingEmbedder(), RegistrySettings(), places)
    engine = Engine(
        database, migrated_database.app_url, EngineSettings(executor_id=f"registry-api-{new_id()}")
    )
    app.state.registry.publisher().register(engine)
    await engine.start()
    install_http(app)
    app.include_router(router)
    yield app
    await engine.stop()
    await valkey.aclose()
    await database.close()


@pytest.fixture
async def new_person(registry_app: FastAPI) -> AsyncGenerator[NewPerson]:
    accounts: AccountsService = registry_app.state.accounts
    clients: list[httpx.AsyncClient] = []

    async def make() -> Person:
        user_id = await accounts.create_user(f"{new_id()}@example.org", "Ada Lovelace")
        pair = await accounts.redeem_link(await accounts.one_time_link(user_id))
        org_id = await accounts.personal_organisation(user_id)
        transport = httpx.ASGITransport(registry_app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {pair.access_token}"}
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://rf.test", headers=headers))
        return Person(org_id, await accounts.slug_of(org_id), clients[-1])

    yield make
    for client in clients:
        await client.aclose()
