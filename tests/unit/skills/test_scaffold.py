"""Templates pass every check as they come."""

from pathlib import Path
from typing import get_args

import pytest

from raptorflow.base.errors import Conflict
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.scaffold import Template, new_skill
from raptorflow.skills.validate import validate


@pytest.mark.parametrize("template", get_args(Template))
def test_a_template_has_no_findings(tmp_path: Path, template: Template) -> None:
    assert validate(new_skill(tmp_path, "my-skill", template)) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    new_skill(tmp_path, "my-skill")
    with pytest.raises(Conflict):
        new_skill(tmp_path, "my-skill")


def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SkillInvalid):
        new_skill(tmp_path, "../My Skill")
    assert list(tmp_path.iterdir()) == []
