"""Templates pass every check as they come, and work; another skill can be the beginning."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from raptorflow.base.errors import Conflict, InvalidInput
from raptorflow.skills.archive import pack
from raptorflow.skills.errors import FolderUnwritable, SkillInvalid
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold.new import SourceMissing, Template, new_from, new_skill, suggested_name
from raptorflow.skills.scanning.scan import scan
from raptorflow.skills.validate import validate


def run_action(folder: Path, given: dict[str, str]) -> tuple[int, dict[str, object]]:
    """Run a skill's one action as its manifest says, with the real helper package."""
    _, script = read_skill(folder).actions[0].command
    ended = subprocess.run(
        [sys.executable, script], cwd=folder, input=json.dumps(given).encode(), capture_output=True
    )
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.parametrize("template", get_args(Template))
def test_a_template_passes_every_check_as_it_comes(tmp_path: Path, template: Template) -> None:
    made = new_skill(tmp_path, "my-skill", template)
    assert validate(made) == []
    report = scan(made)
    assert (report.verdict, [each for each in report.findings if each.severity != "low"]) == ("pass", [])
    findings = Findings()
    files, _ = collect_files(made, findings)
    assert len(read_evals(files, read_skill(made), findings))
    assert findings.all == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Greets people by name.", None),
        ("Greets people: by name. Use when: asked # often", None),
        ('Says "{{title}}", it\'s so', None),
        ("Greets\npeople", "Greets people"),
    ],
)
def test_a_description_of_one_s_own_is_taken(tmp_path: Path, given: str, kept: str | None) -> None:
    made = new_skill(tmp_path, "my-skill", description=given)
    assert read_skill(made).description == (kept or given)
    assert validate(made) == []


def test_a_skill_from_another_is_a_copy_that_says_where_it_comes_from(tmp_path: Path) -> None:
    first = new_skill(tmp_path, "first", "python")
    (first / "scripts" / "count-words.py").chmod(0o755)
    manifest = (first / "skill.toml").read_text()
    (first / "skill.toml").write_text(manifest.replace('"0.1.0"', '"2.3.4"  # mine'))
    skill = read_skill(first)
    archive = tmp_path / "first.skill"
    archive.write_bytes(pack(first))
    for number, source in enumerate((first, archive)):
        made = read_skill(new_from(tmp_path, f"second-{number}", source))
        assert (made.name, made.version) == (f"second-{number}", "0.1.0")
        assert made.metadata == {"from": "first", "from-version": "2.3.4", "from-digest": skill.digest}
        assert [each.executable for each in made.files] == [each.executable for each in skill.files]
        assert made.body == skill.body


def test_the_graded_cases_of_a_copy_carry_its_name(tmp_path: Path) -> None:
    first = new_skill(tmp_path, "first")
    cases = (new_from(tmp_path, "second", first) / "evals" / "evals.json").read_text()
    assert json.loads(cases) == json.loads((first / "evals" / "evals.json").read_text()) | {
        "skill_name": "second"
    }


def test_a_beginning_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="nowhere does not exist"):
        new_from(tmp_path, "second", tmp_path / "nowhere")


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_what_is_no_skill_is_no_beginning(tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "source"
    source.mkdir() if content is None else source.write_bytes(content)
    with pytest.raises(InvalidInput):
        new_from(tmp_path, "second", source)
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(("given", "meant"), [("My Skill!", "my-skill"), ("a__b", "a-b"), ("---", None)])
def test_a_name_that_was_perhaps_meant_is_offered(given: str, meant: str | None) -> None:
    assert suggested_name(given) == meant


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
    assert made.joinpath("SKILL.md").read_text() == "mine"
    assert not made.joinpath("skill.toml").exists()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    with pytest.raises(FolderUnwritable, match="file"):
        new_skill(tmp_path / "file", "my-skill")


def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SkillInvalid):
        new_skill(tmp_path, "../My Skill")
    assert list(tmp_path.iterdir()) == []
