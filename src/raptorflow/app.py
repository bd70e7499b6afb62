"""Composition root of the server: settings in, an ASGI application out.

`uvicorn --factory raptorflow.app:create_app` starts it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from raptorflow.accounts.endpoints import router as accounts_router
from raptorflow.accounts.service import AccountsService
from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.api_page import install_api_page
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.http import health_router, install_http
from raptorflow.core.programs import say_problem
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.core.valkey import check_valkey, open_valkey
from raptorflow.orchestrator.connections.endpoints import router as connections_router
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.connections.service import ModelConnections
from raptorflow.orchestrator.endpoints import router as orchestrator_router
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.sockets import router as sockets_router
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import MiniLmEmbedder
from raptorflow.registry.endpoints import router as registry_router
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.settings import Settings, load_settings
from raptorflow.web.endpoints import install_interface
from raptorflow.web.interface import Interface


def create_app(settings: Settings | None = None) -> FastAPI:
    """The server of `settings` (of the environment, when none are given).

    Raises:
        SettingMissing: a part has no URL; `raptorflow run` fills them in for the embedded parts.
    """
    settings = settings or load_settings()
    configure_telemetry(settings.telemetry, service="server")
    database = Database(settings.database_url(), pool_size=settings.database.pool_size)
    valkey = open_valkey(settings.valkey_url())
    blobs = open_blobs(settings.blobs_url())
    places = (settings.data_dir(), settings.sandbox.python or sandbox_python())
    app = FastAPI(
        title="RaptorFlow",
        version=version("raptorflow"),
        summary="A self-hosted platform for agent skills.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.database, app.state.valkey = database, valkey
    app.state.accounts = AccountsService(database, valkey, settings.accounts)
    app.state.registry = build_registry(database, blobs, MiniLmEmbedder(), settings.registry, places)
    app.state.orchestrator = AgentOrchestrator(
        database, valkey, blobs, settings.orchestrator, app.state.registry
    )
    keys = ModelKeys(settings.accounts.secret)
    app.state.connections = ModelConnections(database, settings.orchestrator, keys)
    install_http(app)
    install_api_page(app)
    health = health_router({"database": database.check, "valkey": lambda: check_valkey(valkey)})
    for router in (*api_routers(), health):
        app.include_router(router)
    install_interface(app, Interface())
    return app


def api_routers() -> tuple[APIRouter, ...]:
    """The API of every room."""
    return accounts_router, registry_router, orchestrator_router, connections_router, sockets_router


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    try:
        await app.state.accounts.open()
    except RaptorFlowError as error:
        # The framework ends the process with a traceback; whoever started it is told in one sentence.
        say_problem(error)
        raise
    try:
        yield
    finally:
        await app.state.orchestrator.close()
        await app.state.valkey.aclose()
        await app.state.database.close()
