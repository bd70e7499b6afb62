"""`raptorflow demo`: an answer with nothing started beforehand, and nothing left behind, however it ends."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from raptorflow.stack.places import OWNER_FILE, ROOT_HOME

DEMO = (sys.executable, "-P", "-m", "raptorflow.cli.main", "demo")
SECONDS = 240.0
STOP_SECONDS = 60.0
INTERRUPTED = 130

Demo = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folder() -> Generator[Path]:
    """A folder of the test's own, in which the demo makes its temporary one; short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="rf-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def demo(folder: Path) -> Generator[Demo]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*DEMO, *arguments],
            cwd=folder,
            env=os.environ | {"TMPDIR": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def left(folder: Path) -> list[str]:
    """Folders of the demo, root's places for its servers, and processes that know its folder."""
    found = [str(path) for path in folder.glob("rf-demo-*")]
    with contextlib.suppress(PermissionError):
        owners = ROOT_HOME.glob(f"*/{OWNER_FILE}")
        found += [str(file) for file in owners if file.read_text().startswith(str(folder))]
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"{folder}/rf-demo-".encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
    return found


def test_it_answers_about_made_up_data_and_leaves_nothing_but_the_chart(demo: Demo, folder: Path) -> None:
    answer, progress = demo("--json").communicate(timeout=SECONDS)
    told: dict[str, Any] = json.loads(answer)
    assert "Brand Search should get more budget" in told["answer"], progress
    assert (told["skill"], told["sandbox"]["status"]) == ("analytics", "ok")
    assert set(told) == {
        "answer",
        "skill",
        "version",
        "search_ms",
        "load_ms",
        "sandbox",
        "artifacts",
        "events",
    }
    assert [path.name for path in (folder / "raptorflow-out").iterdir()] == ["chart.png"]
    assert left(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_leaves_nothing(demo: Demo, folder: Path, number: signal.Signals) -> None:
    process = demo()
    assert process.stderr
    for line in process.stderr:
        if "Starting PostgreSQL and Valkey" in line:
            break
    assert left(folder)
    process.send_signal(number)
    assert process.wait(STOP_SECONDS) == INTERRUPTED
    assert left(folder) == []
