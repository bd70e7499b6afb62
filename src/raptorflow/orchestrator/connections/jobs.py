"""The test of a connected model, as a durable job: a worker asks, and writes what it found to the row."""

import asyncio
from uuid import UUID

from raptorflow.base.clock import utc_now
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.jobs import JobContext, JobRunner
from raptorflow.core.telemetry import logger
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.connections.repository import ConnectionsRepository
from raptorflow.orchestrator.connections.schemas import ModelTest
from raptorflow.orchestrator.connections.service import TEST_JOB
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.language_models.probe import probe
from raptorflow.orchestrator.settings import OrchestratorSettings

log = logger(__name__)


class ModelTester:
    """Tests connected models; `register` hands it to the engine.

    Args:
        database: where the connections are.
        connector: reaches them.
        settings: deadlines.
    """

    def __init__(self, database: Database, connector: Connector, settings: OrchestratorSettings) -> None:
        self._database = database
        self._connector = connector
        self._seconds = settings.model_test_seconds
        # Somebody waits for the result: a provider that limits the rate is told of, not waited for.
        self._settings = settings.model_copy(update={"model_rate_limit_retries": 0})

    def register(self, engine: JobRunner) -> None:
        """Let the engine run tests."""
        engine.register(TEST_JOB, self.run, self.fail)

    async def run(self, context: JobContext, payload: JsonObject) -> None:
        """Test what the payload's `connection_id` names."""
        connection_id = UUID(payload["connection_id"])

        async def test() -> None:
            connection = await self._connection(context.org_id, connection_id)
            if connection:
                await self._write(connection, await self._report(connection))

        await context.step("test", test)

    async def fail(self, context: JobContext, payload: JsonObject, problem: JsonObject) -> None:
        """Write why a test came to nothing."""
        connection = await self._connection(context.org_id, UUID(payload["connection_id"]))
        if connection:
            report = ModelTest(status="failed", tested_at=utc_now(), problem=problem)
            await self._write(connection, report)

    async def _report(self, connection: ConnectedModel) -> ModelTest:
        try:
            asker = await asyncio.to_thread(self._connector.asker, connection, self._settings)
        except RaptorFlowError as error:
            return ModelTest(status="failed", tested_at=utc_now(), problem=error.problem())
        report = await probe(asker, self._seconds)
        code = (report.problem or {}).get("code")
        log.info("model tested", connection_id=str(connection.id), status=report.status, problem=code)
        return report

    async def _connection(self, org_id: UUID, connection_id: UUID) -> ConnectedModel | None:
        async with self._database.session(org_id) as session:
            row = await ConnectionsRepository(session, org_id).one(connection_id)
        if row is None:
            return None
        return ConnectedModel(
            row.id, row.org_id, row.provider, row.model, row.base_url, row.sealed_key, row.updated_at
        )

    async def _write(self, connection: ConnectedModel, report: ModelTest) -> None:
        async with self._database.session(connection.org_id) as session:
            repository = ConnectionsRepository(session, connection.org_id)
            await repository.write_test(connection.id, connection.updated_at, report.model_dump(mode="json"))
