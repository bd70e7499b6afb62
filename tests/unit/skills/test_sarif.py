"""SARIF as code hosts read it, and which folders a command means."""

import json
import subprocess
import sys
from pathlib import Path

from raptorflow.skills.folders import skill_folders

COMMAND = [sys.executable, "-m", "raptorflow.cli.main", "skill", "validate"]


def test_every_finding_is_a_result_with_its_rule_and_place(tmp_path: Path) -> None:
    for name in ("one", "two words"):
        (tmp_path / "skills" / name).mkdir(parents=True)
        (tmp_path / "skills" / name / "SKILL.md").write_text("---\nname: Bad\n---\nx [a](b.md)\n")
    (tmp_path / "skills" / "one" / "inner").mkdir()
    (tmp_path / "skills" / "one" / "inner" / "SKILL.md").write_text("")
    done = subprocess.run(
        [*COMMAND, "skills", "--format", "sarif"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(set(rules))
    assert {result["ruleId"] for result in run["results"]} == set(rules)
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]
    }
    assert places == {"skills/one/SKILL.md", "skills/two%20words/SKILL.md"}
    lines = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in run["results"]
        if result["ruleId"] == "skill/link-missing"
    ]
    assert lines == [4, 4]
    assert all(
        result["message"]["text"] and result["level"] in {"error", "warning"} for result in run["results"]
    )


def test_a_folder_of_skills_means_each_of_them(tmp_path: Path) -> None:
    for name in ("b", "a", "a/inner", "node_modules/c", "deep/er/d"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "SKILL.md").touch()
    (tmp_path / "empty").mkdir()
    found = [folder.relative_to(tmp_path).as_posix() for folder in skill_folders([tmp_path])]
    assert found == ["a", "b", "deep/er/d"]
    assert list(skill_folders([tmp_path / "empty", tmp_path / "nowhere"])) == [
        tmp_path / "empty",
        tmp_path / "nowhere",
    ]
