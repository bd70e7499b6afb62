"""RaptorFlow from nothing: embedded parts where no URL is given, the schema, the server and the worker."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address

from pydantic import SecretStr

from raptorflow.base.errors import Conflict
from raptorflow.core.migrate import upgrade
from raptorflow.settings import Settings
from raptorflow.stack.logs import keep_logs_short
from raptorflow.stack.places import default_data_dir, open_place
from raptorflow.stack.postgres import EmbeddedPostgres
from raptorflow.stack.secrets import stack_secrets
from raptorflow.stack.supervisor import Part, Program, Report, Supervisor
from raptorflow.stack.valkey import EmbeddedValkey

GRACE_SECONDS = "2"
ANSWER_SECONDS = 2.0
IPV4 = 4

Stage = Callable[[str], AbstractContextManager[object]]
"""Shows a stage while its block runs: `with stage("Starting PostgreSQL"):`."""


class AddressUnusable(Conflict):
    """The server cannot listen where it was told to."""

    code = "address-unusable"
    default_hint = "Choose another port: `--port` or RAPTORFLOW_PORT."


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def local_host(self) -> str:
        """The host as programs on this machine reach it."""
        with suppress(ValueError):
            given = ip_address(self.host)
            if given.is_unspecified:
                return "127.0.0.1" if given.version == IPV4 else "::1"
        return self.host

    @property
    def url(self) -> str:
        """The server's URL on this machine."""
        host = self.local_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass(frozen=True)
class Running:
    """A started RaptorFlow; `settings` has the embedded parts' URLs, as server and worker have them."""

    url: str
    settings: Settings


@asynccontextmanager
async def running_stack(
    settings: Settings, address: Address, *, stage: Stage, report: Report
) -> AsyncGenerator[Running]:
    """Start everything, hand over, and stop everything in order on leaving, whatever happens.

    Raises:
        StackAlreadyRunning: another process runs on the same data folder.
        AddressUnusable: another program listens at the address, or it is not this machine's.
        PartUnavailable: a part does not start; the message has the end of its log.
    """
    _check_address(address)
    supervisor = Supervisor(report)
    try:
        settings = await _start_parts(settings, supervisor, stage)
        with stage("Bringing the database schema forward"):
            await asyncio.to_thread(upgrade, _owner_url(settings))
        with stage("Starting the server and a worker"):
            await supervisor.start(*_programs(settings, address))
        logs = asyncio.create_task(keep_logs_short(settings.data_dir() / "logs"))
        try:
            yield Running(address.url, settings)
        finally:
            logs.cancel()
    finally:
        with stage("Stopping"):
            await supervisor.stop()


async def _start_parts(settings: Settings, supervisor: Supervisor, stage: Stage) -> Settings:
    """Start the embedded parts that no URL replaces; the settings with all URLs."""
    settings = settings.model_copy(deep=True)
    data_dir = (settings.data.dir or default_data_dir()).expanduser().absolute()
    settings.data.dir = open_place(data_dir).data
    parts: list[Part] = []
    postgres = valkey = None
    if settings.database.url is None:
        parts.append(postgres := EmbeddedPostgres(data_dir))
    if settings.valkey.url is None:
        parts.append(valkey := EmbeddedValkey(data_dir))
    if parts:
        with stage(f"Starting {' and '.join(part.name for part in parts)}"):
            await supervisor.start(*parts)
    if postgres and postgres.urls:
        settings.database.url = SecretStr(postgres.urls.app_url)
        settings.database.owner_url = SecretStr(postgres.urls.owner_url)
    if valkey and valkey.url:
        settings.valkey.url = SecretStr(valkey.url)
    return settings


def _owner_url(settings: Settings) -> str:
    url = settings.database.owner_url
    return url.get_secret_value() if url else settings.database_url()


def _programs(settings: Settings, address: Address) -> list[Program]:
    environment = program_environment(settings)
    logs = settings.data_dir() / "logs"
    uvicorn = ["--factory", "--host", address.host, "--port", str(address.port), "--loop", "uvloop"]
    uvicorn += ["--timeout-graceful-shutdown", GRACE_SECONDS, "--no-access-log"]
    server = Program(
        "Server",
        [sys.executable, "-m", "uvicorn", "raptorflow.app:create_app", *uvicorn],
        environment=environment,
        log=logs / "server.log",
        ready=lambda: answers_ready(address),
    )
    worker = Program(
        "Worker",
        [sys.executable, "-m", "raptorflow.worker"],
        environment=environment,
        log=logs / "worker.log",
    )
    return [server, worker]


def program_environment(settings: Settings) -> dict[str, str]:
    """Our own environment, and the embedded parts' addresses and secrets as `RAPTORFLOW_*` variables."""
    owner = settings.database.owner_url
    found = {
        "RAPTORFLOW_DATA__DIR": str(settings.data_dir()),
        "RAPTORFLOW_DATABASE__URL": settings.database_url(),
        "RAPTORFLOW_VALKEY__URL": settings.valkey_url(),
        "RAPTORFLOW_ACCOUNTS__SECRET": stack_secrets(settings.data_dir()).accounts,
        # A machine without cgroups for this user may still be tried out; each run says what is weaker.
        "RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED": "true",
    }
    if owner:
        found["RAPTORFLOW_DATABASE__OWNER_URL"] = owner.get_secret_value()
    chosen = ("RAPTORFLOW_ACCOUNTS__SECRET", "RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED")
    kept = {name: os.environ[name] for name in chosen if name in os.environ}
    return {**os.environ, **found, **kept}


async def answers_ready(address: Address) -> bool:
    """Whether `/readyz` says that every part answers."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(address.local_host, address.port)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    return False


def _check_address(address: Address) -> None:
    """Fail before anything is started, and with a sentence."""
    try:
        family = socket.getaddrinfo(address.host, address.port)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        raise AddressUnusable(
            f"The server cannot listen on {address.host}:{address.port}: {error.strerror or error}."
        ) from error
