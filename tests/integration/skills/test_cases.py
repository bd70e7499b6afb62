"""`raptorflow skill test` as an author calls it: the real sandbox, without server or account."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raptorflow.skills.scaffold.new import new_skill

COUNTS = """from raptorflow_skill import action
action.run(lambda given: {"answer": "It has some.", "words": len(given["text"].split()), "minutes": 0.0})
"""
COMMAND = [sys.executable, "-m", "raptorflow.cli.main", "skill", "test"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_skill(tmp_path, "count", "python")


def write(folder: Path, *cases: dict[str, Any]) -> None:
    (folder / "evals" / "triggers.json").unlink(missing_ok=True)
    (folder / "evals" / "actions.json").write_text(json.dumps({"cases": list(cases)}))


def run(
    folder: Path, *arguments: str, code: int = 0, settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    ended = subprocess.run(
        [*COMMAND, str(folder), "--json", *arguments],
        env=os.environ | dict(settings or {}), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return json.loads(ended.stdout)


def outcomes(told: dict[str, Any]) -> list[str]:
    return [case["outcome"] for case in told["cases"]]


def test_cases_pass_and_fail_for_what_came_back(folder: Path) -> None:
    text = {"action": "count-words", "input": {"text": "one two three"}}
    answer = {"answer": "The text has 3 words.", "words": 3, "minutes": 0.0}
    write(
        folder,
        {"name": "whole", **text, "expect": {"output": answer}},
        {"name": "part", **text, "expect": {"contains": {"answer": "3 words"}}},
        {"name": "wrong", **text, "expect": {"contains": {"words": 4}}},
        {"name": "misfit", "action": "count-words", "input": {"txt": "x"}},
        {"name": "refusal", **text, "expect": {"error": "text-missing"}},
    )
    told = run(folder, "--report", str(folder.parent / "report.json"), code=1)
    assert outcomes(told) == ["passed", "passed", "failed", "failed", "failed"]
    assert told["cases"][2]["message"] == "The output.words is 3, and not 4."
    assert "schema" in told["cases"][3]["message"]
    assert json.loads((folder.parent / "report.json").read_text()) == told


def test_what_is_not_declared_cannot_be_reached(folder: Path) -> None:
    (folder / "scripts" / "count-words.py").write_text(
        "import urllib.request\nurllib.request.urlopen('http://198.51.100.1/', timeout=5)\n"
    )
    write(folder, {"name": "reach", "action": "count-words", "input": {"text": "x"}})
    told = run(folder, code=1)
    assert "It reached for what skill.toml does not declare." in told["cases"][0]["message"]


def test_limits_hold_and_unit_tests_run(folder: Path) -> None:
    (folder / "scripts" / "count-words.py").write_text("while True: pass\n")
    (folder / "scripts" / "helper.py").write_text("def double(n): return 2 * n\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_helper.py").write_text(
        "import unittest\nfrom helper import double\n\n"
        "class Doubles(unittest.TestCase):\n    def test_it(self): self.assertEqual(double(2), 4)\n"
    )
    write(folder, {"name": "endless", "action": "count-words", "input": {"text": "x"}, "seconds": 0.5})
    told = run(folder, code=1)
    assert outcomes(told) == ["failed", "passed"]
    assert "timeout" in told["cases"][0]["message"]
    assert run(folder, "--only", "unit")["passed"] == 1


def test_graded_cases_without_a_model_are_said_not_to_have_run(folder: Path) -> None:
    (folder / "evals").mkdir(exist_ok=True)
    (folder / "evals" / "evals.json").write_text(
        json.dumps([{"prompt": "Count", "assertions": ["It counts"]}])
    )
    assert run(folder, "--only", "graded", code=1, settings={"RAPTORFLOW_MODEL": "offline"})["not_run"] == 1


def test_a_skill_without_cases_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: bare\ndescription: Nothing to run.\n---\nHello.\n")
    assert run(folder, code=1)["error"]["code"] == "no-cases"


def test_a_pure_action_is_tested_where_it_will_run(folder: Path) -> None:
    manifest = folder / "skill.toml"
    head = "[actions.count-words]\n"
    manifest.write_text(manifest.read_text().replace(head, f'{head}tier = "pure"\n'))
    (folder / "scripts" / "count-words.py").write_text(COUNTS)
    write(folder, {"name": "whole", "action": "count-words", "input": {"text": "one two"}})
    (case,) = run(folder)["cases"]
    assert (case["outcome"], case["driver"]) == ("passed", "monty")
