"""Every sample is a flawless skill."""

from pathlib import Path

import pytest

from raptorflow import samples
from raptorflow.skills.model import Skill
from raptorflow.skills.validate import validate

SKILLS = sorted(file.parent for file in Path(str(samples.__file__)).parent.glob("skills/*/SKILL.md"))


def test_the_samples_are_there() -> None:
    assert [folder.name for folder in SKILLS] == ["analytics", "google-ads", "hubspot"]


@pytest.mark.parametrize("folder", SKILLS, ids=lambda folder: folder.name)
def test_a_sample_has_no_findings(folder: Path) -> None:
    assert validate(folder) == []


def test_samples_say_what_they_need(sample_skills: dict[str, Skill]) -> None:
    assert not sample_skills["analytics"].capabilities.reaches_outside()
    for name in ("google-ads", "hubspot"):
        assert set(sample_skills[name].capabilities.services) == {name}
        assert not sample_skills[name].capabilities.network


def test_every_argument_and_action_is_described(sample_skills: dict[str, Skill]) -> None:
    for skill in sample_skills.values():
        assert skill.actions
        for action in skill.actions:
            assert action.description
            assert action.input_schema["additionalProperties"] is False
            assert action.output_schema["required"]
