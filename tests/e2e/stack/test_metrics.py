"""What an operator scrapes of a RaptorFlow that was started as everybody starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from raptorflow.samples.made_data import campaigns_csv
from raptorflow.stack.places import open_place

READY_SECONDS = 120.0
STOP_SECONDS = 60.0
ASK_SECONDS = 120.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Stack:
    """A running `raptorflow run`."""

    folder: Path
    server: int
    worker: int

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "XDG_CONFIG_HOME": str(self.folder),
            "RAPTORFLOW_PORT": str(self.server),
            "RAPTORFLOW_TELEMETRY__WORKER_PORT": str(self.worker),
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "raptorflow.cli.main", *words]

    def metric(self, port: int, name: str) -> float:
        """The sum of a metric's samples."""
        page = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def stack(tmp_path: Path) -> Generator[Stack]:
    running = Stack(tmp_path, free_port(), free_port())
    log = tmp_path / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            running.command("run", "--data", str(tmp_path / "data")),
            env=running.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "sign-in" not in log.read_text(errors="replace"):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(POLL_SECONDS)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=STOP_SECONDS)
        open_place(tmp_path / "data").remove()


def test_a_turn_is_counted_where_the_how_to_says(stack: Stack) -> None:
    (stack.folder / "data.csv").write_bytes(campaigns_csv())
    question = ("ask", "which campaign should get more budget?", "--file", "data.csv", "--json")
    subprocess.run(
        stack.command(*question),
        env=stack.environment,
        cwd=stack.folder,
        check=True,
        capture_output=True,
        timeout=ASK_SECONDS,
    )

    counted = (
        *("raptorflow_runs_total", "raptorflow_run_seconds_count", "raptorflow_step_seconds_count"),
        *("raptorflow_skill_loads_total", "raptorflow_actions_total", "raptorflow_sandbox_runs_total"),
    )
    for name in counted:
        assert stack.metric(stack.worker, name) >= 1, name
        assert stack.metric(stack.server, name) == 0, name
    assert stack.metric(stack.server, "raptorflow_http_requests_total") >= 1
    for page in ("healthz", "readyz"):
        assert httpx.get(f"http://127.0.0.1:{stack.worker}/{page}").json()["status"] == "ok"
