"""The worker's own page: its counters live in its process, so no other can show them."""

import asyncio
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from raptorflow.core.errors import WorkerPortTaken
from raptorflow.core.http import Check, health_router, install_http
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import logger

log = logger(__name__)

GRACE_SECONDS = 1


class WorkerPages:
    """Serves `/metrics`, `/healthz` and `/readyz` of this process.

    Args:
        settings: where to listen; port 0 serves nothing.
        checks: as for `health_router`.
    """

    def __init__(self, settings: TelemetrySettings, checks: Mapping[str, Check]) -> None:
        self._settings = settings
        self._app = FastAPI(openapi_url=None)
        install_http(self._app)
        self._app.include_router(health_router(checks))
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            WorkerPortTaken: another program listens there, and the port was chosen in the settings.
        """
        listener = self._listener()
        if listener is None:
            return
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = _Embedded(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        """Listen no more."""
        if self._server and self._task:
            self._server.should_exit = True
            await self._task

    def _listener(self) -> socket.socket | None:
        host, port = self._settings.worker_host, self._settings.worker_port
        if not port:
            return None
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, port), family=family)
        except OSError as error:
            message = f"The worker cannot listen on {host}:{port}: {error.strerror or error}."
            if "worker_port" in self._settings.model_fields_set:
                raise WorkerPortTaken(message) from error
            # Another worker of this machine has the usual port. The work matters more than its counters.
            log.warning("worker metrics are not served", problem=message, hint=WorkerPortTaken.default_hint)
            return None


class _Embedded(uvicorn.Server):
    """A server inside the worker, whose signals are its own."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave them."""
        yield
