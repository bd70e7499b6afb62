"""The real server over real parts, without a worker: what waits can be reached for all the same."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from raptorflow.app import create_app
from raptorflow.core.settings import BlobSettings, DatabaseSettings, DataSettings, ValkeySettings
from raptorflow.settings import Settings
from raptorflow.stack.postgres import PostgresUrls


@pytest.fixture
def settings(migrated_database: PostgresUrls, valkey_url: str, tmp_path: Path) -> Settings:
    """What server and worker are started with."""
    settings = Settings(
        data=DataSettings(dir=tmp_path),
        database=DatabaseSettings(url=SecretStr(migrated_database.app_url)),
        valkey=ValkeySettings(url=SecretStr(valkey_url)),
        blobs=BlobSettings(url=str(tmp_path / "blobs")),
    )
    settings.accounts.secret = SecretStr("a secret of the tests")
    settings.orchestrator.max_message_bytes = 4096
    return settings


@pytest.fixture
async def app(settings: Settings) -> FastAPI:
    """The application; its facades are in its state."""
    app = create_app(settings)
    await app.state.accounts.open()
    return app


@pytest.fixture
async def server(app: FastAPI) -> AsyncGenerator[tuple[str, object]]:
    """The server's URL and its accounts facade."""
    listener = socket.create_server(("127.0.0.1", 0))
    runner = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
    task = asyncio.create_task(runner.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.accounts
    runner.should_exit = True
    await task
