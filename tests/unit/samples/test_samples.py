"""Every sample is a flawless skill."""

from pathlib import Path
from typing import Any

import pytest

from raptorflow import samples
from raptorflow.samples.made_data import campaigns_csv
from raptorflow.skills.model import Skill
from raptorflow.skills.validate import validate

SKILLS = sorted(file.parent for file in Path(str(samples.__file__)).parent.glob("skills/*/SKILL.md"))


def test_the_samples_are_there() -> None:
    assert [folder.name for folder in SKILLS] == ["analytics", "brand-voice", "google-ads", "hubspot"]


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
        assert bool(skill.actions) is (skill.name != "brand-voice")
        for action in skill.actions:
            assert action.description
            assert action.input_schema["additionalProperties"] is False
            assert action.output_schema["required"]


@pytest.mark.parametrize("action", ["compare", "profile"])
@pytest.mark.parametrize(
    "content",
    [campaigns_csv(3), b"region;note;sales\nA;;1,5\nB;x;2,5\n", b"a,b\nx,1\ny,2\nx,\ny,n/a\n"],
    ids=["campaigns", "tiny", "holes"],
)
def test_results_keep_their_schema(act: Any, action: str, content: bytes) -> None:
    code, printed = act("analytics", action, {"file": "data.csv"}, {"data.csv": content})

    assert code == 0
    assert printed["answer"]


def test_made_data_is_the_same_for_the_same_seed() -> None:
    assert campaigns_csv(1) == campaigns_csv(1) != campaigns_csv(2)
