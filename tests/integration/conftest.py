"""One RaptorFlow for all questions of these tests, started and asked as a person does."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.greeting import read_until

from raptorflow.stack.places import open_place

COMMAND = (sys.executable, "-P", "-m", "raptorflow.cli.main")
ANSWER_SECONDS = 180.0
STOP_SECONDS = 30.0

Command = Callable[..., str]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def house_folder() -> Generator[Path]:
    """A data folder, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    yield folder
    open_place(folder / "data").remove()
    shutil.rmtree(folder)


@dataclass(frozen=True)
class House:
    """A running RaptorFlow.

    Attributes:
        environment: in which commands find it.
        said: what its start told its user.
    """

    environment: dict[str, str]
    url: str
    said: str

    def get(self, path: str) -> Any:
        """What the API answers to its first user."""
        kept = Path(self.environment["XDG_CONFIG_HOME"], "raptorflow", "connection.json")
        headers = {"Authorization": f"Bearer {json.loads(kept.read_text())['token']}"}
        return httpx.get(f"{self.url}/api/v1{path}", headers=headers).raise_for_status().json()


@pytest.fixture(scope="module")
def house_settings() -> dict[str, str]:
    """Environment variables to start it with; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def running_house(house_folder: Path, house_settings: dict[str, str]) -> Generator[House]:
    """A running RaptorFlow, stopped in the end as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"XDG_CONFIG_HOME": str(house_folder), "COLUMNS": "120"}
    arguments = ["run", "--port", str(port), "--data", str(house_folder / "data")]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment | house_settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield House(environment, f"http://127.0.0.1:{port}", read_until(process))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STOP_SECONDS)


@pytest.fixture(scope="module")
def house(running_house: House) -> dict[str, str]:
    """The environment in which commands find a running RaptorFlow."""
    return running_house.environment


@pytest.fixture
def command(house: dict[str, str], tmp_path: Path) -> Command:
    """Runs a command in an empty folder: what it printed, after it ended as expected without a traceback."""

    def run(*arguments: str, code: int = 0) -> str:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=house,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
        )
        told = ended.stdout + ended.stderr
        assert ended.returncode == code, told
        assert "Traceback" not in told
        return told

    return run


@pytest.fixture
def ask(command: Command) -> Ask:
    """Asks about files: the object that `ask --json` prints."""

    def run(question: str, *files: Path, code: int = 0) -> dict[str, Any]:
        named = [part for file in files for part in ("--file", str(file))]
        return json.loads(command("ask", question, *named, "--json", code=code))

    return run
