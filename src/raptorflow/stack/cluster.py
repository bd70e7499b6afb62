"""A PostgreSQL cluster on disk: made, configured, and freed of what a killed run left behind."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from raptorflow.stack.places import Place
from raptorflow.stack.process import Insistence, Trace, end_leftovers, start_child
from raptorflow.stack.secrets import stack_secrets

SUPERUSER = "postgres"
PORT = 5432
INITDB_SECONDS = 120.0
# Fast shutdown ends sessions and writes a checkpoint; immediate leaves that to the next start's recovery.
STOPPING: Insistence = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 1.0))
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
# postmaster.pid, line 8: what pg_ctl waits for too.
STATUS_LINE = 7
READY_STATUS = "ready"
INITDB_ARGUMENTS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # PostgreSQL's own collation: the order of text does not change with the machine's libc.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)

# https://www.postgresql.org/docs/18/runtime-config.html; for a laptop that also runs other things.
CONFIG = """\
listen_addresses = ''
port = {port}
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
hba_file = {hba}
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
include_if_exists {local}
"""
HBA = "# TYPE DATABASE USER METHOD\nlocal all all scram-sha-256\n"


async def create_cluster(place: Place, programs: Path, cluster: Path) -> None:
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
        raise child.failure(f"initdb ended with {code}")
    fresh.rename(cluster)


def write_config(place: Place) -> Path:
    """Write what the server reads at its start, so that nothing older stays in force; returns the file."""
    hba = place.write_config("pg_hba.conf", HBA)
    text = CONFIG.format(
        port=PORT,
        sockets=_quoted(place.sockets),
        hba=_quoted(hba),
        local=_quoted(hba.parent / "postgresql.local.conf"),
    )
    return place.write_config("postgresql.conf", text)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


async def clear_leftovers(cluster: Path) -> None:
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


def is_ready(cluster: Path, pid: int) -> bool:
    """Whether this server says so: the file may still be that of one that was killed."""
    lines = _pid_file_lines(cluster / "postmaster.pid")
    return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == READY_STATUS
