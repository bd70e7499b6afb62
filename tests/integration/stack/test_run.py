"""`raptorflow run` keeps everything up, and leaves nothing behind, whichever way it ends."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from tests.greeting import read_until

from raptorflow.stack.cluster import trace as postgres_trace
from raptorflow.stack.places import open_place
from raptorflow.stack.process import processes_of
from raptorflow.stack.valkey import trace as valkey_trace

RUN = (sys.executable, "-P", "-m", "raptorflow.cli.main", "run")
GONE_SECONDS = 15.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02

Run = subprocess.Popen[str]


@pytest.fixture
def folder() -> Generator[Path]:
    made = Path(tempfile.mkdtemp(prefix="rf-"))
    yield made
    open_place(made / "data").remove()
    shutil.rmtree(made)


@pytest.fixture
def start(folder: Path) -> Generator[Callable[[], Run]]:
    """Starts RaptorFlow on the folder; whatever a failed test left running is ended."""
    started: list[Run] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "RAPTORFLOW_DATA__DIR": str(folder / "data"),
        "RAPTORFLOW_PORT": str(port),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }

    def run() -> Run:
        process = subprocess.Popen(
            RUN,
            env=environment,
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
        process.wait()
    until_gone(folder)


def left(folder: Path) -> list[int]:
    """Every process of the stack on this folder: programs by their environment, servers by their traces."""
    place = open_place(folder / "data")
    servers = processes_of(postgres_trace(place.servers / "postgres" / "18"))
    servers += processes_of(valkey_trace(place.servers / "valkey", place.sockets / "valkey.sock"))
    mark = f"RAPTORFLOW_DATA__DIR={folder}".encode()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                servers.append(int(entry.name))
    return servers


def until_gone(folder: Path) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while left(folder) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert left(folder) == []


def program(folder: Path, module: str) -> int:
    for pid in left(folder):
        with contextlib.suppress(OSError):
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    raise AssertionError(f"{module} does not run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_by_a_signal_and_leaves_no_process(
    start: Callable[[], Run], folder: Path, number: signal.Signals
) -> None:
    process = start()
    said = read_until(process)
    assert "/sign-in?token=" in said
    process.send_signal(number)
    assert process.wait(STOP_SECONDS) == 0
    assert left(folder) == []


def test_killed_outright_it_leaves_no_process_and_starts_again(
    start: Callable[[], Run], folder: Path
) -> None:
    process = start()
    read_until(process)
    process.kill()
    process.wait()

    again = start()
    said = read_until(again)

    assert "schema" not in said  # what was there is known to be there
    again.send_signal(signal.SIGINT)
    assert again.wait(STOP_SECONDS) == 0
    assert left(folder) == []


def test_a_killed_server_and_worker_are_started_again(start: Callable[[], Run], folder: Path) -> None:
    process = start()
    read_until(process)
    for module, name in (("uvicorn", "Server"), ("raptorflow.worker", "Worker")):
        first = program(folder, module)
        os.kill(first, signal.SIGKILL)
        said = read_until(process, f"{name} runs again.")
        assert f"{name} was ended by SIGKILL." in said
        assert program(folder, module) != first
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_SECONDS) == 0


def test_a_second_one_on_the_same_folder_says_who_is_there(start: Callable[[], Run]) -> None:
    process = start()
    read_until(process, "Starting PostgreSQL and Valkey")
    second = start()
    output, _ = second.communicate(timeout=STOP_SECONDS)
    assert second.returncode == 1
    assert f"(process {process.pid})" in output
    assert "--data" in output
    assert process.poll() is None


@pytest.mark.parametrize("stage", ["Starting PostgreSQL and Valkey", "database schema"])
def test_interrupted_while_it_starts_it_leaves_no_process(
    start: Callable[[], Run], folder: Path, stage: str
) -> None:
    process = start()
    read_until(process, stage)
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_SECONDS) == 0
    assert left(folder) == []
