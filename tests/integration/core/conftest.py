"""The session's database, and engines that are stopped whatever a test does."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.settings import EngineSettings, TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.stack.postgres import PostgresUrls

MakeEngine = Callable[..., Engine]


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """The product's logs: structlog's own tracebacks take seconds over deep stacks."""
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="tests")


@pytest.fixture
async def database(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    database = Database(migrated_database.app_url, pool_size=10)
    yield database
    await database.close()


@pytest.fixture
def job_name() -> str:
    """A name of the test's own: no other test's engine takes its jobs."""
    return f"test.{new_id()}"


@pytest.fixture
def make_engine(database: Database, migrated_database: PostgresUrls) -> MakeEngine:
    """An engine with short pauses; keywords are settings."""

    def make(**settings: object) -> Engine:
        chosen = {"executor_id": f"test-{new_id()}", "step_pause_seconds": 0.01, **settings}
        return Engine(database, migrated_database.app_url, EngineSettings.model_validate(chosen))

    return make


@pytest.fixture
async def start_engine() -> AsyncGenerator[Callable[[Engine], Awaitable[None]]]:
    """Start an engine; the one that runs last is stopped after the test."""
    started: list[Engine] = []

    async def start(engine: Engine) -> None:
        await engine.start()
        started.append(engine)

    yield start
    for engine in started:
        await engine.stop()
