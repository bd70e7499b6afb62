"""Composition root of the worker: plays turns, runs durable jobs, delivers news, until it is told to stop.

`python -m raptorflow.worker` starts it with the settings of the environment.
"""

import asyncio
import signal
from contextlib import AsyncExitStack

from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.outbox import OutboxRelay
from raptorflow.core.programs import end_with, say_ready
from raptorflow.core.telemetry import configure_telemetry, logger
from raptorflow.core.valkey import check_valkey, open_valkey
from raptorflow.core.worker_http import WorkerPages
from raptorflow.orchestrator.connections.jobs import ModelTester
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.language_models.factory import build_model
from raptorflow.orchestrator.runs.worker import Abilities, RunWorker
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import MiniLmEmbedder
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import build_manager
from raptorflow.settings import Settings, load_settings

log = logger(__name__)


async def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished or handed on.

    Raises:
        SettingMissing: a part has no URL.
        ModelUnknown: the settings name no known model.
        WorkerPortTaken: the settings name a port for the worker's pages that is taken.
    """
    stopped = _stop_signal()
    url = settings.database_url()
    database = Database(url, pool_size=settings.database.pool_size)
    valkey = open_valkey(settings.valkey_url())
    blobs = open_blobs(settings.blobs_url())
    python = settings.sandbox.python or sandbox_python()
    sandbox = build_manager(settings.sandbox, data_dir=settings.data_dir())
    embedder = MiniLmEmbedder()
    registry = build_registry(database, blobs, embedder, settings.registry, (settings.data_dir(), python))
    orchestrator = AgentOrchestrator(database, valkey, blobs, settings.orchestrator, registry)
    connector = Connector(settings.orchestrator, ModelKeys(settings.accounts.secret))
    model = build_model(settings.orchestrator)
    runs = RunWorker(orchestrator, Abilities(registry, sandbox, model, python, connector))
    engine, relay = Engine(database, url, settings.engine), OutboxRelay(database, url)
    registry.publisher().register(engine)
    ModelTester(database, connector, settings.orchestrator).register(engine)
    checks = {"database": database.check, "valkey": lambda: check_valkey(valkey)}
    pages = WorkerPages(settings.telemetry, checks)
    async with AsyncExitStack() as parts:
        parts.push_async_callback(database.close)
        parts.push_async_callback(valkey.aclose)
        parts.push_async_callback(orchestrator.close)
        parts.push_async_callback(connector.close)
        await sandbox.start()
        parts.push_async_callback(sandbox.close)
        for part in (pages, runs, engine, relay):
            await part.start()
            parts.push_async_callback(part.stop)
        say_ready()
        # The first search should not wait for the model of the embeddings.
        await embedder.embed(["ready"])
        log.info("worker ready", model=settings.orchestrator.model, sandbox=settings.sandbox.driver)
        await stopped.wait()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def main() -> None:
    """Start a worker with the settings of the environment."""
    try:
        settings = load_settings()
        configure_telemetry(settings.telemetry, service="worker")
        asyncio.run(work(settings))
    except RaptorFlowError as error:
        end_with(error)


if __name__ == "__main__":
    main()
