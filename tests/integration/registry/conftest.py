"""A registry over the session's real parts, with a worker's engine in this process."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any
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
from raptorflow.skills.archive import pack_files
from raptorflow.stack.postgres import PostgresUrls

Publish = Callable[..., Awaitable[PublishReceipt]]
POLL_SECONDS = 0.02
LIMIT_SECONDS = 120.0


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


@pytest.fixture
def publish(registry: SkillsRegistry, engine: Engine, org_id: UUID) -> Publish:
    """Publishes files as the organisation's, and waits until that has ended well."""

    async def publish(
        files: dict[str, str], *, user_id: UUID | None = None, **options: Any
    ) -> PublishReceipt:
        data = pack_files(
            options.pop("name", "greet"), {path: text.encode() for path, text in files.items()}, ()
        )
        receipt = await registry.publish((org_id, f"org-{org_id.hex}"), user_id, data, **options)
        async with asyncio.timeout(LIMIT_SECONDS):
            while receipt.status not in {"published", "failed"}:
                await asyncio.sleep(POLL_SECONDS)
                receipt = await registry.publish_status(org_id, receipt.publish_id)
        assert receipt.status == "published", receipt.problem
        return receipt

    return publish
