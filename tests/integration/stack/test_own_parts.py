"""`raptorflow run` on a database and a Valkey of one's own, and what it says when they do not do."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.greeting import read_until

from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.valkey import EmbeddedValkey

RUN = (sys.executable, "-P", "-m", "raptorflow.cli.main", "run")
SECONDS = 120.0
DATABASE, OWNER, VALKEY = (
    f"RAPTORFLOW_{name}" for name in ("DATABASE__URL", "DATABASE__OWNER_URL", "VALKEY__URL")
)


@dataclass(frozen=True)
class Parts:
    """Servers that somebody else runs."""

    postgres: PostgresUrls
    valkey: str

    def variables(self) -> dict[str, str]:
        return {DATABASE: self.postgres.app_url, OWNER: self.postgres.owner_url, VALKEY: self.valkey}


@pytest.fixture(scope="module")
async def parts() -> AsyncGenerator[Parts]:
    """A database and a Valkey that are not the embedded ones of the RaptorFlow under test."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    yield Parts(await postgres.start(), await valkey.start())
    await valkey.stop()
    await postgres.stop()
    open_place(folder).remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def data() -> Generator[Path]:
    """A data folder."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    yield folder / "data"
    open_place(folder / "data").remove()
    shutil.rmtree(folder)


@pytest.fixture
def closed_port() -> Generator[int]:
    """A port that is taken and never answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(parts: Parts, data: Path, tmp_path: Path) -> Generator[Start]:
    """Starts RaptorFlow on the parts, with variables that replace some of theirs."""
    started: list[subprocess.Popen[str]] = []

    def run(port: int, **variables: str) -> subprocess.Popen[str]:
        environment = os.environ | parts.variables() | {"XDG_CONFIG_HOME": str(tmp_path)} | variables
        process = subprocess.Popen(
            [*RUN, "--port", str(port), "--data", str(data)],
            env={name: value for name, value in environment.items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refused(process: subprocess.Popen[str]) -> str:
    """What a start said that had to fail."""
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    assert "hint:" in said
    return said


async def test_a_login_that_may_not_migrate_names_the_setting_that_is_missing(
    start: Start, port: int
) -> None:
    said = refused(start(port, **{OWNER: ""}))
    assert "migration-refused" in said
    assert OWNER in said


def test_both_parts_are_used_and_none_is_started(start: Start, parts: Parts, data: Path, port: int) -> None:
    process = start(port)
    said = read_until(process)
    assert "Starting PostgreSQL" not in said
    assert not (data / "servers").exists()
    assert not (data / "instance").exists()
    ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
    assert {name: part["status"] for name, part in ready.json()["parts"].items()} == {
        "database": "ok",
        "valkey": "ok",
    }
    with psycopg.connect(parts.postgres.owner_url.replace("+psycopg", "")) as connection:
        installed = connection.execute("select count(*) from skills").fetchone()
    assert installed
    assert installed[0] >= 3
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({VALKEY: "redis://127.0.0.1:{port}/0"}, "valkey-unavailable", VALKEY),
        ({DATABASE: "postgresql://a:b@127.0.0.1:{port}/x", OWNER: ""}, "database-unavailable", DATABASE),
        ({"RAPTORFLOW_MODEL": "foo:bar"}, "model-unknown", "RAPTORFLOW_MODEL"),
        (
            {"RAPTORFLOW_MODEL": "anthropic:x", "ANTHROPIC_API_KEY": ""},
            "model-key-refused",
            "ANTHROPIC_API_KEY",
        ),
        (
            {"RAPTORFLOW_ACCOUNTS__SECRET": "another"},
            "signing-keys-unreadable",
            "RAPTORFLOW_ACCOUNTS__SECRET",
        ),
    ],
    ids=["valkey-away", "database-away", "model", "model-key", "secret"],
)
def test_a_setting_that_does_not_do_fails_the_start_and_is_named(
    start: Start, closed_port: int, port: int, variables: dict[str, str], code: str, said: str
) -> None:
    given = {name: value.format(port=closed_port) for name, value in variables.items()}
    told = refused(start(port, **given))
    assert f"({code})" in told
    assert said in told
