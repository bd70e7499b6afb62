"""Templates are valid as they come, and work; what is left to write is named."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from raptorflow.base.errors import Conflict
from raptorflow.skills.errors import FolderUnwritable, SkillInvalid
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold import Template, new_skill
from raptorflow.skills.validate import validate


def run_action(folder: Path, given: dict[str, str]) -> tuple[int, dict[str, object]]:
    """Run a skill's one action as its manifest says, with the real helper package."""
    _, script = read_skill(folder).actions[0].command
    ended = subprocess.run(
        [sys.executable, script], cwd=folder, input=json.dumps(given).encode(), capture_output=True
    )
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.parametrize("template", get_args(Template))
def test_a_template_is_valid_and_names_each_sentence_that_is_left_to_write(
    tmp_path: Path, template: Template
) -> None:
    made = new_skill(tmp_path, "my-skill", template)
    findings = validate(made)
    assert {(finding.code, finding.severity) for finding in findings} == {("skill/template-text", "warning")}
    lines = made.joinpath("SKILL.md").read_text().splitlines()
    said = [lines[(finding.line or 0) - 1] for finding in findings]
    assert said[0].startswith("description: ")
    assert [line.split()[0] for line in said[1:]] == ["Say", "-", "1."]


def test_what_was_written_instead_is_no_longer_named(tmp_path: Path) -> None:
    made = new_skill(tmp_path, "my-skill")
    text = "---\nname: my-skill\ndescription: Greets people by name.\n---\n# Greet\n\nSay hello.\n"
    made.joinpath("SKILL.md").write_text(text)
    assert validate(made) == []


def test_the_python_template_answers(tmp_path: Path) -> None:
    ended, answer = run_action(new_skill(tmp_path, "my-skill", "python"), {"text": "one two three"})
    assert (ended, answer["words"]) == (0, 3)


def test_the_service_template_says_that_the_service_is_not_connected(tmp_path: Path) -> None:
    ended, answer = run_action(new_skill(tmp_path, "my-skill", "service"), {"email": "a@example.com"})
    assert ended != 0
    assert isinstance(answer["error"], dict)
    assert answer["error"]["code"] == "service-not-connected"


def test_the_folder_around_it_is_made(tmp_path: Path) -> None:
    assert new_skill(tmp_path / "deep" / "down", "my-skill").joinpath("SKILL.md").is_file()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    made = new_skill(tmp_path, "my-skill")
    made.joinpath("SKILL.md").write_text("mine")
    with pytest.raises(Conflict):
        new_skill(tmp_path, "my-skill", "python")
    assert [path.read_text() for path in made.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    with pytest.raises(FolderUnwritable, match="file"):
        new_skill(tmp_path / "file", "my-skill")


def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SkillInvalid):
        new_skill(tmp_path, "../My Skill")
    assert list(tmp_path.iterdir()) == []
