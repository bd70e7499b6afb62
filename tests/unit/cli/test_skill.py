"""`raptorflow skill new | validate | pack`, as a person or a script calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from raptorflow.skills.archive import pack, unpack
from raptorflow.skills.reader import read_skill

COMMAND = [sys.executable, "-m", "raptorflow.cli.main", "skill"]


def call(*arguments: str, folder: Path, code: int = 0, columns: int = 80) -> str:
    environment = {**os.environ, "COLUMNS": str(columns)}
    ended = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout


def documents(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("template", ["instructions", "python", "service"])
def test_a_new_skill_validates_and_packs(tmp_path: Path, template: str) -> None:
    call("new", "my-skill", "--template", template, "--dir", "here", folder=tmp_path)
    assert "here/my-skill: nothing to mend." in call("validate", "here/my-skill", folder=tmp_path)
    (packed,) = documents(call("pack", "here/my-skill", "-o", "out.skill", "--json", folder=tmp_path))
    archive = tmp_path.joinpath("out.skill").read_bytes()
    made = tmp_path / "here" / "my-skill"
    assert archive == pack(made)
    assert packed["bytes"] == len(archive)
    assert packed["digest"] == read_skill(made).digest
    assert unpack(archive).folder_name == "my-skill"


def test_packing_prints_the_digest_and_names_the_file_after_the_version(tmp_path: Path) -> None:
    call("new", "my-skill", "--template", "python", folder=tmp_path)
    told = call("pack", "my-skill", folder=tmp_path)
    assert tmp_path.joinpath("my-skill-0.1.0.skill").is_file()
    assert read_skill(tmp_path / "my-skill").digest in told


def test_each_skill_is_one_line_of_json_and_one_error_fails_them_all(tmp_path: Path) -> None:
    tmp_path.joinpath("good").mkdir()
    tmp_path.joinpath("good/SKILL.md").write_text("---\nname: good\ndescription: Does good.\n---\nDo it.\n")
    tmp_path.joinpath("bad").mkdir()
    tmp_path.joinpath("bad/SKILL.md").write_text("---\nname: Bad\n---\nx")
    good, bad = documents(call("validate", "good", "bad", "--json", folder=tmp_path, code=1))
    clients = dict.fromkeys(("claude-code", "codex", "vscode", "skills-ref"), "loads")
    assert good == {"skill": "good", "path": "good", "ok": True, "clients": clients, "findings": []}
    assert not bad["ok"]
    assert [(each["code"], each["line"]) for each in bad["findings"]] == [
        ("skill/description-missing", 1),
        ("skill/name-invalid", 2),
    ]


def test_findings_are_shown_whole_one_a_line_when_nobody_watches(tmp_path: Path) -> None:
    tmp_path.joinpath("greet").mkdir()
    tmp_path.joinpath("greet/SKILL.md").write_text("---\nname: greet\ndescription: Greets.\n---\nHello.\n")
    tmp_path.joinpath("greet/skill.toml").write_text('schema = 1\n[actions.a]\ncommand = "x"\n')
    told = call("validate", "greet", folder=tmp_path, code=1, columns=40).splitlines()
    assert told[0].startswith("greet/skill.toml:3: error: `actions.a.command` is not a list of texts.")
    # What looks like markup is shown, not obeyed.
    assert 'command = ["…"]' in told[0]
    assert told[0].endswith("[skill/list-invalid]")


def test_a_warning_alone_does_not_fail(tmp_path: Path) -> None:
    tmp_path.joinpath("greet").mkdir()
    text = "---\nname: greet\ndescription: Greets.\n---\n[gone](gone.md)\n"
    tmp_path.joinpath("greet/SKILL.md").write_text(text)
    assert "SKILL.md:5: warning: " in call("validate", "greet", folder=tmp_path)


def test_a_folder_that_is_no_skill_is_not_packed(tmp_path: Path) -> None:
    (told,) = documents(call("pack", ".", "--json", folder=tmp_path, code=1))
    assert told["error"]["code"] == "skill-invalid"
    assert list(tmp_path.iterdir()) == []
