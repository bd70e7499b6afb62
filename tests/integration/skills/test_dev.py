"""`raptorflow skill dev` while somebody writes: what it says after each save."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from raptorflow.skills.scaffold.new import new_skill

COMMAND = [sys.executable, "-m", "raptorflow.cli.main", "skill", "dev"]


class Watch:
    """A running `dev`; its events, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, str(folder), "--no-chat", "--json"], stdout=subprocess.PIPE, text=True, env=os.environ
        )

    def next(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.wait()
        return json.loads(line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = new_skill(tmp_path, "count", "python")
    script = "import json, sys\ngiven = json.load(sys.stdin)\n"
    script += "print(json.dumps({'answer': 'x', 'words': len(given['text'].split()), 'minutes': 0}))\n"
    (made / "scripts" / "count-words.py").write_text(script)
    case = {
        "name": "two",
        "action": "count-words",
        "input": {"text": "a b"},
        "expect": {"contains": {"words": 2}},
    }
    (made / "evals" / "actions.json").write_text(json.dumps({"cases": [case]}))
    return made


@pytest.fixture
def watch(folder: Path) -> Generator[Watch]:
    running = Watch(folder)
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 130


def codes(event: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in event["problems"]]


def test_each_save_is_checked_and_what_was_mended_is_gone(watch: Watch, folder: Path) -> None:
    first = watch.next()
    assert (first["ok"], first["cases_passed"], codes(first)) == (True, 1, [])
    page = folder / "SKILL.md"
    whole = page.read_text()
    page.write_text(whole.replace("description:", "description"))
    broken = watch.next()
    assert not broken["ok"]
    assert "skill/yaml-invalid" in codes(broken)
    # As editors save: another file takes the place.
    fresh = folder / "SKILL.md.tmp"
    fresh.write_text(whole)
    fresh.replace(page)
    event = watch.next()
    while not event["ok"]:
        event = watch.next()
    assert codes(event) == []
    script = folder / "scripts" / "count-words.py"
    script.write_text(script.read_text().replace("len(given", "1 + len(given"))
    failed = watch.next()
    assert codes(failed) == ["case-failed"]
    assert "words is 3, and not 2" in failed["problems"][0]["message"]
    script.unlink()
    assert "skill/action-script" in codes(watch.next())


def test_a_failed_case_stays_until_it_was_run_again(watch: Watch, folder: Path) -> None:
    assert watch.next()["ok"]
    script, page = folder / "scripts" / "count-words.py", folder / "SKILL.md"
    whole = page.read_text()
    sound = script.read_text()
    script.write_text(sound.replace("len(given", "1 + len(given"))
    assert codes(watch.next()) == ["case-failed"]
    page.write_text(f"{whole}\nMore.\n")
    event = watch.next()
    assert (event["ok"], codes(event)) == (False, ["case-failed"])
    # What is saved while the skill cannot be read is run when it can be.
    page.write_text("no frontmatter")
    assert "skill/frontmatter-missing" in codes(watch.next())
    script.write_text(sound)
    assert "skill/frontmatter-missing" in codes(watch.next())
    page.write_text(whole)
    event = watch.next()
    assert (event["ok"], event["cases_passed"], codes(event)) == (True, 1, [])


def test_a_folder_that_is_removed_and_made_again_is_watched_again(watch: Watch, folder: Path) -> None:
    assert watch.next()["ok"]
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    shutil.rmtree(folder)
    event = watch.next()
    assert not event["ok"]
    shutil.copytree(kept, folder)
    while not event["ok"]:
        event = watch.next()
    (folder / "SKILL.md").write_text("no frontmatter")
    while event["ok"]:
        event = watch.next()
    assert "skill/frontmatter-missing" in codes(event)


def test_one_round_for_scripts_fails_when_something_is_to_be_mended(folder: Path) -> None:
    once = [*COMMAND, str(folder), "--once", "--json"]
    assert subprocess.run(once, capture_output=True).returncode == 0
    (folder / "SKILL.md").write_text("no frontmatter")
    ended = subprocess.run(once, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "skill/frontmatter-missing" in codes(json.loads(ended.stdout))
