"""Nobody but their owner reaches the embedded servers, and nobody's folders are changed for them."""

import os
import shutil
import stat
import subprocess
import sysconfig
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from raptorflow.core.errors import ValkeyUnavailable
from raptorflow.core.valkey import check_valkey, open_valkey
from raptorflow.stack.errors import FolderNotPrivate
from raptorflow.stack.places import Place, open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.secrets import stack_secrets
from raptorflow.stack.valkey import EmbeddedValkey

NOBODY = 65534
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
OTHERS = 0o007
GROUP = 0o070
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@dataclass(frozen=True)
class Started:
    """Both servers, and what the world looked like before them."""

    place: Place
    postgres: EmbeddedPostgres
    urls: PostgresUrls
    valkey: EmbeddedValkey
    valkey_url: str
    parents_before: dict[Path, tuple[int, int, int]]


def parents(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode and owner of every folder above what the servers use."""
    above = [*folder.parents, *Path(sysconfig.get_paths()["purelib"]).parents, Path("/var/lib")]
    found = {path: path.stat() for path in above}
    return {path: (status.st_mode, status.st_uid, status.st_gid) for path, status in found.items()}


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    """A data folder that is not there yet, below parents of several modes."""
    base = Path(tempfile.mkdtemp(prefix="rf-"))
    (base / "home").mkdir(mode=0o750)
    yield base / "home" / "data"
    open_place(base / "home" / "data").remove()
    shutil.rmtree(base)


@pytest.fixture(scope="module")
async def started(folder: Path) -> AsyncGenerator[Started]:
    before = parents(folder)
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    urls, valkey_url = await postgres.start(), await valkey.start()
    yield Started(open_place(folder), postgres, urls, valkey, valkey_url, before)
    await valkey.stop()
    await postgres.stop()


def test_no_folder_above_is_changed(started: Started, folder: Path) -> None:
    assert parents(folder) == started.parents_before


def test_every_folder_made_is_closed_to_others(started: Started) -> None:
    place = started.place
    for top in {place.data, place.servers, place.sockets}:
        for path in [top, *top.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert path.is_symlink() or path.is_socket() or not mode & OTHERS, f"{path} {mode:o}"
    owner = place.account.uid if place.account else os.geteuid()
    for private in (place.sockets, place.servers / "postgres", place.servers / "valkey"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert private.stat().st_uid == owner
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700


def test_a_server_cannot_write_where_root_writes(started: Started) -> None:
    for shared in (started.place.servers, started.place.servers / "etc"):
        status = shared.stat()
        assert status.st_uid == os.geteuid()
        assert not status.st_mode & stat.S_IWGRP


def test_secrets_are_readable_by_their_owner_alone(started: Started) -> None:
    status = (started.place.data / "secrets.json").stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.geteuid()


@needs_root
@pytest.mark.parametrize("name", [".s.PGSQL.5432", "valkey.sock"])
def test_nobody_cannot_connect(started: Started, name: str) -> None:
    command = ["/usr/bin/python3", "-c", CONNECT, str(started.place.sockets / name)]
    # The same program does connect as root: what stops it below is who it is.
    subprocess.run(command, check=True)
    refused = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False
    )
    assert "PermissionError" in refused.stderr


@needs_root
def test_the_servers_do_not_run_as_root(started: Started) -> None:
    for pid in (started.postgres.pid, started.valkey.pid):
        assert started.place.account
        assert Path(f"/proc/{pid}").stat().st_uid == started.place.account.uid


def test_no_line_trusts_anybody(started: Started) -> None:
    files = [started.place.servers / "etc" / "pg_hba.conf"]
    files += (started.place.servers / "postgres").rglob("pg_hba.conf")
    assert len(files) == 2
    for file in files:
        lines = [line.split() for line in file.read_text().splitlines() if line and line[0] != "#"]
        assert {line[-1] for line in lines} == {"scram-sha-256"}


@pytest.mark.parametrize("role", ["postgres", "raptorflow_owner", "raptorflow_app"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_postgres_wants_the_password(started: Started, role: str, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=str(started.place.sockets), dbname="raptorflow", user=role, password=password or None
        )


def test_postgres_listens_on_its_socket_alone(started: Started) -> None:
    with psycopg.connect(started.urls.app_url.replace("+psycopg", "")) as connection:
        row = connection.execute("show listen_addresses").fetchone()
    assert row == ("",)


def test_the_program_s_role_has_no_power(started: Started) -> None:
    query = (
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, "
        "pg_has_role('raptorflow_owner', 'member') from pg_roles where rolname = current_user"
    )
    with psycopg.connect(started.urls.app_url.replace("+psycopg", "")) as connection:
        assert connection.execute(query).fetchone() == (False, False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table public.mine (n int)")


async def test_valkey_wants_the_password(started: Started) -> None:
    socket = started.place.sockets / "valkey.sock"
    for url in (f"unix://{socket}", f"unix://:wrong@{socket}"):
        client = open_valkey(url)
        with pytest.raises(ValkeyUnavailable):
            await check_valkey(client)
        await client.aclose()
    client = open_valkey(started.valkey_url)
    await check_valkey(client)
    await client.aclose()


def test_no_password_is_on_a_command_line(started: Started) -> None:
    secrets = stack_secrets(started.place.data).model_dump().values()
    for pid in (started.postgres.pid, started.valkey.pid):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert command
        assert not any(secret in command + environment for secret in secrets)


def test_a_folder_that_is_open_to_others_is_refused(folder: Path) -> None:
    place = open_place(folder)
    taken = place.servers / "taken"
    taken.mkdir()
    taken.chmod(0o777)
    with pytest.raises(FolderNotPrivate, match="0777"):
        place.server_folder("taken")
    assert stat.S_IMODE(taken.stat().st_mode) == 0o777
    taken.rmdir()


def test_a_link_in_place_of_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    place = open_place(folder)
    link = place.servers / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(FolderNotPrivate):
        place.server_folder("link")
    link.unlink()
