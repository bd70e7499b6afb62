"""A registry over the session's real parts, with a worker's engine in this process."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from raptorflow.base.ids import new_id
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.settings import EngineSettings
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import MiniLmEmbedder
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.registry.settings import RegistrySettings
from raptorflow.stack.postgres import PostgresUrls

Publish = Callable[..., Awaitable[PublishReceipt]]


@pytest.fixture(scope="session")
async def registry_database(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    database = Database(migrated_database.app_url, pool_size=10)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def registry(registry_database: Database, tmp_path_factory: pytest.TempPathFactory) -> SkillsRegistry:
    data = tmp_path_factory.mktemp("registry")
    blobs = open_blobs(str(data / "blobs"))
    places = (data, Path(sys.executable))
    return build_registry(registry_database, blobs, MiniLmEmbedder(), RegistrySettings(), places)


@pytest.fixture(scope="module")
async def engine(
    registry: SkillsRegistry, registry_database: Database, migrated_database: PostgresUrls
) -> AsyncGenerator[Engine]:
    settings = EngineSettings(executor_id=f"registry-{new_id()}")
    engine = Engine(registry_database, migrated_database.app_url, settings)
    registry.publisher().register(engine)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
def org_id() -> UUID:
    return new_id()
