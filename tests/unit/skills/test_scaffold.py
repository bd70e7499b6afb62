"""Templates pass every check as they come, and work."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from raptorflow.base.errors import Conflict
from raptorflow.skills.errors import SkillInvalid
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
def test_a_template_has_no_findings(tmp_path: Path, template: Template) -> None:
    assert validate(new_skill(tmp_path, "my-skill", template)) == []


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


def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SkillInvalid):
        new_skill(tmp_path, "../My Skill")
    assert list(tmp_path.iterdir()) == []
