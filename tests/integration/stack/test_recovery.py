"""Whatever ends the servers, the next start has what was committed."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from raptorflow.core.valkey import open_valkey
from raptorflow.stack.cluster import trace as postgres_trace
from raptorflow.stack.errors import DatabaseOfOtherVersion, SecretsLost, StackAlreadyRunning
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.process import processes_of, wait_until
from raptorflow.stack.secrets import FILE_NAME
from raptorflow.stack.supervisor import Supervisor
from raptorflow.stack.valkey import EmbeddedValkey
from raptorflow.stack.valkey import trace as valkey_trace

LIMIT_SECONDS = 30.0
ROWS = 500


@pytest.fixture
def folder() -> Generator[Path]:
    """A data folder of the test's own, with a path short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="rf-"))
    yield made
    open_place(made).remove()
    shutil.rmtree(made)


async def write_rows(urls: PostgresUrls) -> None:
    async with await connect(urls) as connection:
        await connection.execute("create table kept (n int primary key)")
        await connection.execute("insert into kept select generate_series(1, %s)", [ROWS])


async def count_rows(urls: PostgresUrls) -> int:
    async with await connect(urls) as connection:
        row = await (await connection.execute("select count(*) from kept")).fetchone()
        return row[0] if row else 0


async def connect(urls: PostgresUrls) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(urls.owner_url.replace("+psycopg", ""))


def running(folder: Path) -> dict[str, list[int]]:
    place = open_place(folder)
    return {
        "postgres": processes_of(postgres_trace(place.servers / "postgres" / "18")),
        "valkey": processes_of(valkey_trace(place.servers / "valkey", place.sockets / "valkey.sock")),
    }


async def test_a_stopped_server_starts_again_with_the_same_passwords_and_data(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    first = await server.start()
    await write_rows(first)
    await server.stop()
    second = await server.start()
    assert second == first
    assert await count_rows(second) == ROWS
    await server.stop()


async def test_a_killed_postgres_comes_back_with_what_was_committed(folder: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append, first_pause_seconds=0.01)
    server = EmbeddedPostgres(folder)
    await supervisor.start(server)
    assert server.urls
    assert server.pid
    await write_rows(server.urls)

    os.kill(server.pid, signal.SIGKILL)

    assert await wait_until(lambda: "PostgreSQL runs again." in reports, LIMIT_SECONDS)
    assert await count_rows(server.urls) == ROWS
    await supervisor.stop()


async def test_a_killed_valkey_comes_back_with_what_was_acknowledged(folder: Path) -> None:
    server = EmbeddedValkey(folder)
    client = open_valkey(await server.start())
    for number in range(ROWS):
        await client.rpush("kept", str(number))
    await client.aclose()
    assert server.pid

    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.stop()

    client = open_valkey(await server.start())
    kept = [await client.blpop(["kept"], 1) for _ in range(ROWS)]
    assert kept == [("kept", str(number)) for number in range(ROWS)]
    await client.aclose()
    await server.stop()


PARENT = """
import asyncio, sys
from pathlib import Path
from raptorflow.stack.postgres import EmbeddedPostgres
from raptorflow.stack.valkey import EmbeddedValkey
from raptorflow.stack.valkey import trace as valkey_trace
async def main():
    folder = Path(sys.argv[1])
    urls = await EmbeddedPostgres(folder).start()
    await EmbeddedValkey(folder).start()
    print(urls.owner_url, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def start_parent(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A process that runs both servers, and the owner's URL."""
    command = [sys.executable, "-c", PARENT, str(folder)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout
    return parent, parent.stdout.readline().strip()


@pytest.fixture
def odd_folder(folder: Path) -> Generator[Path]:
    """A data folder with every letter that some configuration or URL gives a meaning."""
    made = folder / 'it\'s "100%" & a+b?#'
    yield made
    open_place(made).remove()


async def test_a_data_folder_may_have_any_name(odd_folder: Path) -> None:
    server, valkey = EmbeddedPostgres(odd_folder), EmbeddedValkey(odd_folder)
    await write_rows(await server.start())
    client = open_valkey(await valkey.start())
    assert await client.ping()
    await client.aclose()
    await valkey.stop()
    await server.stop()
    assert await count_rows(await server.start()) == ROWS
    await server.stop()


@pytest.fixture
def bystander() -> Generator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["/bin/sleep", "600"])
    yield process
    process.kill()
    process.wait()


async def test_servers_end_with_a_killed_parent_and_the_next_start_goes_on(folder: Path) -> None:
    parent, owner_url = start_parent(folder)
    await write_rows(PostgresUrls(owner_url, owner_url))
    with pytest.raises(StackAlreadyRunning, match=str(parent.pid)):
        await EmbeddedPostgres(folder).start()
    with pytest.raises(StackAlreadyRunning, match=str(parent.pid)):
        await EmbeddedValkey(folder).start()

    parent.kill()
    parent.communicate()

    # At once: what the killed one left may still be on its way out.
    server, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    assert await count_rows(await server.start()) == ROWS
    await valkey.start()
    await server.stop()
    await valkey.stop()
    assert running(folder) == {"postgres": [], "valkey": []}


async def test_a_server_that_outlived_its_parent_is_ended_and_replaced(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await write_rows(await server.start())
    stray = server.pid
    assert stray
    abandon(server)

    other = EmbeddedPostgres(folder)
    assert await count_rows(await other.start()) == ROWS
    assert other.pid != stray
    await other.stop()


def abandon(server: EmbeddedPostgres) -> None:
    """Let go of the lock alone, as the kernel does for a process that is gone."""
    lock = vars(server)["_lock"]
    lock.release()


async def test_a_pid_file_that_names_somebody_else_does_not_stop_the_start(
    folder: Path, bystander: subprocess.Popen[bytes]
) -> None:
    server = EmbeddedPostgres(folder)
    await write_rows(await server.start())
    pid_file = open_place(folder).servers / "postgres" / "18" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.stop()
    pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")

    assert await count_rows(await server.start()) == ROWS

    assert bystander.poll() is None
    await server.stop()


async def test_a_folder_of_another_major_version_is_left_alone_with_a_remedy(folder: Path) -> None:
    other = open_place(folder).server_folder("postgres") / "17"
    other.mkdir()
    with pytest.raises(DatabaseOfOtherVersion, match="PostgreSQL 17") as caught:
        await EmbeddedPostgres(folder).start()
    assert "pg_dump" in (caught.value.hint or "")
    assert list(other.iterdir()) == []


async def test_a_database_without_its_passwords_says_so(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    (folder / FILE_NAME).unlink()
    with pytest.raises(SecretsLost, match=FILE_NAME):
        await server.start()


async def test_an_initialisation_that_was_cut_short_begins_anew(folder: Path) -> None:
    half = open_place(folder).server_folder("postgres") / "18.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder)
    await write_rows(await server.start())
    assert not half.exists()
    await server.stop()


FIND = """
import json, sys
from pathlib import Path
from raptorflow.stack.cluster import trace as postgres_trace
from raptorflow.stack.process import processes_of
from raptorflow.stack.valkey import trace as valkey_trace
cluster, valkey, socket = map(Path, sys.argv[1:])
print(json.dumps([processes_of(postgres_trace(cluster)), processes_of(valkey_trace(valkey, socket))]))
"""
WITHOUT_PTRACE = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers belong to another account")
async def test_root_knows_its_servers_where_it_may_not_look_into_processes(folder: Path) -> None:
    server, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    await server.start()
    await valkey.start()
    place = open_place(folder)
    places = [place.servers / "postgres" / "18", place.servers / "valkey", place.sockets / "valkey.sock"]
    finder = await asyncio.create_subprocess_exec(
        *WITHOUT_PTRACE, sys.executable, "-c", FIND, *map(str, places), stdout=subprocess.PIPE
    )
    told, _ = await finder.communicate()
    assert json.loads(told) == [[server.pid], [valkey.pid]]
    assert server.pid in running(folder)["postgres"]
    await server.stop()
    await valkey.stop()
