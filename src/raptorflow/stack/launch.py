"""RaptorFlow from nothing: embedded parts where no URL is given, the schema, the server and the worker."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from raptorflow.core.programs import READY_FILE_VARIABLE, has_said_ready
from raptorflow.settings import Settings
from raptorflow.stack.address import Address, check_address
from raptorflow.stack.logs import keep_logs_short
from raptorflow.stack.places import default_data_dir, open_data_folder, open_place
from raptorflow.stack.postgres import EmbeddedPostgres
from raptorflow.stack.readiness import ServerReadiness
from raptorflow.stack.schema import OWNER_URL_VARIABLE, bring_schema_forward, schema_fingerprint
from raptorflow.stack.secrets import stack_secrets
from raptorflow.stack.stamps import has_stamp, put_stamp
from raptorflow.stack.supervisor import Outcome, Part, Program, Report, Supervisor
from raptorflow.stack.valkey import EmbeddedValkey

GRACE_SECONDS = "2"
# Nobody waits for it: this only ends what would never become anything.
WORKER_SECONDS = 300.0
SCHEMA_STAMP = "schema"
# Nothing is imported from the folder that somebody happens to start us in: not by Python, not by uvicorn.
PYTHON = (sys.executable, "-P", "-m")
PACKAGES = str(Path(__file__).parents[2])

Stage = Callable[[str], AbstractContextManager[object]]
"""Shows a stage while its block runs: `with stage("Starting PostgreSQL"):`."""


class Running:
    """A RaptorFlow whose parts and schema are ready; `settings` has the embedded parts' URLs."""

    def __init__(
        self, settings: Settings, address: Address, supervisor: Supervisor, stamps: Path | None
    ) -> None:
        self.settings = settings
        self.url = address.url
        self._address = address
        self._supervisor = supervisor
        self._stamps = stamps

    def has_stamp(self, name: str, text: str) -> bool:
        """Whether `stamp` noted this text for the embedded database; nothing is known of another."""
        return has_stamp(self._stamps, name, text)

    def stamp(self, name: str, text: str) -> None:
        """Note that the embedded database has something, until the database is made anew."""
        put_stamp(self._stamps, name, text)

    async def start_programs(self) -> None:
        """Start server and worker, and wait until the server says that every part answers.

        The worker, which takes longer to load, goes on starting meanwhile: see `unless_failed`.

        Raises:
            EmbeddedPartFailed: one of them does not start, with its own reason if it gave one.
        """
        environment = program_environment(self.settings)
        logs = self.settings.data_dir() / "logs"
        worker = _worker(environment, self.settings.data_dir() / "worker.ready", logs)
        await self._supervisor.start(_server(environment, self._address, logs), beside=[worker])

    async def unless_failed(self, work: Awaitable[Outcome]) -> Outcome:
        """The outcome of some work, which is cancelled when the worker cannot begin.

        Raises:
            EmbeddedPartFailed: it could not, with its own reason if it gave one.
        """
        return await self._supervisor.unless_failed(work)


@asynccontextmanager
async def running_stack(
    settings: Settings, address: Address, *, stage: Stage, report: Report
) -> AsyncGenerator[Running]:
    """Start the parts, hand over, and stop everything in order on leaving, whatever happens.

    Raises:
        StackAlreadyRunning: another process runs on the same data folder.
        AddressUnusable: another program listens at the address, or it is not this machine's.
        PartUnavailable: a part does not start; the message has the end of its log.
    """
    check_address(address)
    settings = completed(settings, address)
    logs = settings.data_dir() / "logs"
    supervisor = Supervisor(report)
    trimming = asyncio.create_task(keep_logs_short(logs))
    try:
        stamps = await _start_parts(settings, supervisor, stage)
        fingerprint = schema_fingerprint()
        if not has_stamp(stamps, SCHEMA_STAMP, fingerprint):
            with stage("Bringing the database schema forward"):
                await bring_schema_forward(_owner_url(settings), logs)
            put_stamp(stamps, SCHEMA_STAMP, fingerprint)
        yield Running(settings, address, supervisor, stamps)
    finally:
        with stage("Stopping"):
            trimming.cancel()
            await supervisor.stop()


def completed(settings: Settings, address: Address) -> Settings:
    """The settings with everything filled in that a machine of one's own does not have to be told."""
    settings = settings.model_copy(deep=True)
    data = settings.data.dir or default_data_dir()
    # Only embedded parts need root to have a service account.
    embedded = settings.database.url is None or settings.valkey.url is None
    data = settings.data.dir = open_place(data).data if embedded else open_data_folder(data)
    settings.accounts.secret = settings.accounts.secret or SecretStr(stack_secrets(data).accounts)
    settings.accounts.public_url = settings.accounts.public_url or address.url
    if "allow_supervised" not in settings.sandbox.model_fields_set:
        # Where the kernel gives this user no cgroup one may still try it out; each run says what is weaker.
        settings.sandbox.allow_supervised = True
    if "model_local_addresses" not in settings.orchestrator.model_fields_set:
        # On a machine of one's own the language model often runs beside.
        settings.orchestrator.model_local_addresses = True
    return settings


async def _start_parts(settings: Settings, supervisor: Supervisor, stage: Stage) -> Path | None:
    """Start the embedded parts that no URL replaces, and note their URLs in the settings.

    Returns where the embedded database's stamps are.
    """
    parts: list[Part] = []
    postgres = valkey = None
    if settings.database.url is None:
        parts.append(postgres := EmbeddedPostgres(settings.data_dir()))
    if settings.valkey.url is None:
        parts.append(valkey := EmbeddedValkey(settings.data_dir()))
    if parts:
        with stage(f"Starting {' and '.join(part.name for part in parts)}"):
            await supervisor.start(*parts)
    if postgres and postgres.urls:
        settings.database.url = SecretStr(postgres.urls.app_url)
        settings.database.owner_url = SecretStr(postgres.urls.owner_url)
    if valkey and valkey.url:
        settings.valkey.url = SecretStr(valkey.url)
    return open_place(settings.data_dir()).servers if postgres else None


def _owner_url(settings: Settings) -> str:
    url = settings.database.owner_url
    return url.get_secret_value() if url else settings.database_url()


def _server(environment: dict[str, str], address: Address, logs: Path) -> Program:
    uvicorn = ["--factory", "--host", address.host, "--port", str(address.port), "--loop", "uvloop"]
    uvicorn += ["--timeout-graceful-shutdown", GRACE_SECONDS, "--no-access-log", "--app-dir", PACKAGES]
    return Program(
        "Server",
        [*PYTHON, "uvicorn", "raptorflow.app:create_app", *uvicorn],
        environment=environment,
        log=logs / "server.log",
        ready=ServerReadiness(address),
    )


def _worker(environment: dict[str, str], ready_file: Path, logs: Path) -> Program:
    async def has_started(pid: int) -> bool:
        return has_said_ready(ready_file, pid)

    return Program(
        "Worker",
        [*PYTHON, "raptorflow.worker"],
        environment=environment | {READY_FILE_VARIABLE: str(ready_file)},
        log=logs / "worker.log",
        ready=has_started,
        ready_seconds=WORKER_SECONDS,
    )


def program_environment(settings: Settings) -> dict[str, str]:
    """Our own environment, and what `completed` and the embedded parts added to the settings.

    The owner's login stays here: server and worker work as the role that row-level security holds.
    """
    secret = settings.accounts.secret
    added = {
        "DATA__DIR": str(settings.data_dir()),
        "DATABASE__URL": settings.database_url(),
        "VALKEY__URL": settings.valkey_url(),
        "ACCOUNTS__SECRET": secret.get_secret_value() if secret else None,
        "ACCOUNTS__PUBLIC_URL": settings.accounts.public_url,
        "SANDBOX__ALLOW_SUPERVISED": str(settings.sandbox.allow_supervised).lower(),
        "ORCHESTRATOR__MODEL_LOCAL_ADDRESSES": str(settings.orchestrator.model_local_addresses).lower(),
    }
    inherited = {name: value for name, value in os.environ.items() if name != OWNER_URL_VARIABLE}
    return inherited | {f"RAPTORFLOW_{name}": value for name, value in added.items() if value}
