"""`raptorflow skill dev` beside a running RaptorFlow: an open chat runs what was saved."""

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from raptorflow.skills.scaffold.new import new_skill
from raptorflow_sdk.client import RaptorFlow

COMMAND = [sys.executable, "-P", "-m", "raptorflow.cli.main", "skill", "dev"]
QUESTION = "How many words are in this text: one two three?"
ENDED = 30.0


class Watch:
    """A running `dev` with a chat; its events, by name."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, str(folder), "--json"], stdout=subprocess.PIPE, text=True, env=environment
        )

    def until(self, name: str) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
            assert event["event"] != "not-reloaded", event
        raise AssertionError(f"It ended with {self.process.wait()} before {name}.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_skill(tmp_path, "count-aloud", "python")


@pytest.fixture
def watch(folder: Path, house: dict[str, str]) -> Generator[Watch]:
    running = Watch(folder, house)
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=ENDED) == 130


def rewrite(path: Path, old: str, new: str) -> None:
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


def test_an_open_chat_runs_what_was_saved(watch: Watch, folder: Path, house: dict[str, str]) -> None:
    connection = json.loads((Path(house["XDG_CONFIG_HOME"]) / "raptorflow" / "connection.json").read_text())
    assert watch.until("chat")["url"] == connection["url"]
    first = watch.until("reloaded")["version"]
    with RaptorFlow(**connection) as flow:
        answer = flow.ask(QUESTION)
        assert "The text has 10 words." in answer.text
        rewrite(folder / "scripts" / "count-words.py", "The text has", "I counted")
        rewrite(folder / "evals" / "actions.json", "The text has", "I counted")
        second = watch.until("reloaded")["version"]
        again = flow.ask(QUESTION, session_id=answer.session_id)
        assert "I counted 10 words." in again.text
        rewrite(
            folder / "SKILL.md",
            "description: Counts the words",
            "description: Zyzzyva census, counts the words",
        )
        third = watch.until("reloaded")["version"]
        assert len({first, second, third}) == 3
        hits = flow.registry.search("zyzzyva census").hits
        assert hits[0].ref.endswith("/count-aloud")
