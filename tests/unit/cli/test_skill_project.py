"""`raptorflow skill install | lock | update | uninstall` of folders at hand, with no server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.skill.app import skill_app
from raptorflow.skills.locking.file import read_lock
from raptorflow.skills.locking.project import write_wishes

Skill = Callable[..., dict[str, Any]]
BOTH = ("--client", "agents", "--client", "claude")


def write_skill(folder: Path, *, requires: str = "", text: str = "Do it.") -> None:
    (folder / "scripts").mkdir(parents=True, exist_ok=True)
    (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: Does it.\n---\n{text}\n")
    (folder / "scripts" / "run.py").write_text("print(1)\n")
    (folder / "scripts" / "run.py").chmod(0o755)
    (folder / "skill.toml").write_text(f'schema = 1\n[skill]\nversion = "1.0.0"\n[requires]\n{requires}\n')


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, beside a folder of skills, of which `ads` builds on `voice`."""
    write_skill(tmp_path / "skills" / "voice")
    write_skill(tmp_path / "skills" / "ads", requires='"acme/voice" = "^1"')
    write_skill(tmp_path / "skills" / "crm")
    for name in ("project", "home", "settings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("RAPTORFLOW_URL", raising=False)
    return tmp_path / "project"


@pytest.fixture
def skill(project: Path, capsys: pytest.CaptureFixture[str]) -> Skill:
    """Runs a command with `--json`: the object that it prints."""

    def run(command: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        among = () if command == "uninstall" or "--verify" in arguments else ("--among", "../skills")
        capsys.readouterr()
        ended = 0
        try:
            tokens = [command, *arguments, *among, "--json"]
            skill_app(tokens, exit_on_error=False, result_action="return_value")
        except SystemExit as stop:
            ended = int(stop.code or 0)
        told = capsys.readouterr().out
        assert ended == code, told
        return json.loads(told)

    return run


def changes(told: dict[str, Any]) -> dict[str, str]:
    (folder,) = told["drifted"]
    return {each["path"]: each["change"] for each in folder["files"]}


def test_every_file_that_drifted_is_named(skill: Skill, project: Path) -> None:
    skill("install", "acme/ads", "acme/crm")
    assert skill("lock", "--verify") == {"ok": True, "drifted": []}
    ads = project / ".agents" / "skills" / "ads"
    (ads / "SKILL.md").write_text("changed")
    (ads / "scripts" / "run.py").chmod(0o644)
    (ads / "skill.toml").unlink()
    (ads / "new.md").touch()
    (ads / "link").symlink_to("/etc")
    assert changes(skill("lock", "--verify", code=1)) == {
        "SKILL.md": "changed",
        "scripts/run.py": "not-executable",
        "skill.toml": "missing",
        "new.md": "added",
        "link": "not-a-file",
    }
    (ads / "SKILL.md").unlink()
    (ads / "SKILL.md").symlink_to("scripts/run.py")
    assert changes(skill("lock", "--verify", code=1))["SKILL.md"] == "not-a-file"


def test_a_folder_that_is_missing_or_a_link_is_named_for_each_client(skill: Skill, project: Path) -> None:
    skill("install", "acme/crm", *BOTH)
    (project / ".agents" / "skills" / "crm").rename(project / "moved")
    (project / ".agents" / "skills" / "crm").symlink_to(project / "moved")
    (project / ".claude" / "skills" / "crm").rename(project / "also-moved")
    told = skill("lock", "--verify", *BOTH, code=1)
    assert [(each["state"], each["folder"]) for each in told["drifted"]] == [
        ("not-a-folder", str(project / ".agents/skills/crm")),
        ("missing", str(project / ".claude/skills/crm")),
    ]


def test_a_lock_without_files_names_the_folder_until_it_is_written_anew(
    skill: Skill, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill("install", "acme/crm")
    file = project / "skills.lock"
    written = file.read_text()
    old = [line for line in written.split("\n") if not line.startswith(("[skill.", '"'))]
    file.write_text("\n".join(old).replace("format = 2", "format = 1"))
    (project / ".agents" / "skills" / "crm" / "SKILL.md").write_text("changed")
    (drifted,) = skill("lock", "--verify", code=1)["drifted"]
    assert (drifted["state"], drifted["files"]) == ("changed", [])
    with pytest.raises(SystemExit):
        skill_app(["lock", "--verify"], exit_on_error=False, result_action="return_value")
    assert "`raptorflow skill lock` notes them" in capsys.readouterr().out
    skill("lock")
    assert file.read_text() == written
    assert changes(skill("lock", "--verify", code=1)) == {"SKILL.md": "changed"}


@pytest.mark.parametrize("command", ["install", "update"])
def test_what_is_no_longer_needed_goes_from_every_client_but_for_what_was_changed(
    skill: Skill, project: Path, command: str
) -> None:
    skill("install", "acme/ads", "acme/crm", *BOTH)
    agents, claude = project / ".agents" / "skills", project / ".claude" / "skills"
    (claude / "voice" / "SKILL.md").write_text("mine")
    write_wishes(project, {"acme/crm": "*"})
    expected = {
        "removed": [str(agents / "ads"), str(claude / "ads"), str(agents / "voice")],
        "left": [str(claude / "voice")],
    }
    told = skill(command, "--dry-run")
    assert {key: told[key] for key in expected} == expected
    assert (agents / "ads").is_dir()
    told = skill(command)
    assert {key: told[key] for key in expected} == expected
    assert sorted(path.name for path in agents.iterdir()) == ["crm"]
    assert sorted(path.name for path in claude.iterdir()) == ["crm", "voice"]
    assert (claude / "voice" / "SKILL.md").read_text() == "mine"
    assert read_lock(project).keys() == {"acme/crm"}


def test_a_requirement_that_a_new_version_has_no_more_goes_too(skill: Skill, project: Path) -> None:
    skill("install", "acme/ads")
    write_skill(project.parent / "skills" / "ads", text="Do it alone.")
    told = skill("update")
    assert told["changes"] == [
        {"name": "acme/ads", "from": "1.0.0", "to": "1.0.0"},
        {"name": "acme/voice", "from": "1.0.0", "to": None},
    ]
    assert [path.name for path in (project / ".agents" / "skills").iterdir()] == ["ads"]


def test_locking_removes_nothing_and_says_what_is_left(skill: Skill, project: Path) -> None:
    skill("install", "acme/ads")
    write_wishes(project, {})
    told = skill("lock")
    assert told == {
        "skills": [],
        "left": [str(project / ".agents/skills" / name) for name in ("ads", "voice")],
    }
    assert (project / ".agents" / "skills" / "ads").is_dir()


def test_a_skill_that_was_locked_from_where_it_lies_stays(skill: Skill, project: Path) -> None:
    write_skill(project / ".claude" / "skills" / "own")
    skill("install", "acme/own", "--among", ".claude/skills")
    told = skill("uninstall", "acme/own")
    assert told == {"removed": [str(project / ".agents/skills/own")], "left": []}
    assert (project / ".claude" / "skills" / "own").is_dir()


def test_it_stays_from_wherever_it_is_uninstalled(
    skill: Skill, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = project.parent / "home"
    write_skill(home / ".claude" / "skills" / "own")
    monkeypatch.chdir(home)
    skill("install", "acme/own", "--global", "--among", ".claude/skills")
    monkeypatch.chdir(project)
    told = skill("uninstall", "acme/own", "--global")
    assert told == {"removed": [str(home / ".agents/skills/own")], "left": []}
    assert (home / ".claude" / "skills" / "own" / "SKILL.md").is_file()


def test_it_stays_in_a_project_that_was_moved(
    skill: Skill, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_skill(project / ".claude" / "skills" / "own")
    skill("install", "acme/own", "acme/crm", "--among", str(project / ".claude" / "skills"))
    sources = {name: locked.source for name, locked in read_lock(project).items()}
    assert sources == {"acme/own": ".claude/skills/own", "acme/crm": str(project.parent / "skills" / "crm")}
    moved = project.rename(project.parent / "moved")
    monkeypatch.chdir(moved)
    assert skill("uninstall", "acme/own")["removed"] == [str(moved / ".agents/skills/own")]
    assert (moved / ".claude" / "skills" / "own").is_dir()


def test_a_folder_that_is_a_link_to_itself_is_left_and_named(skill: Skill, project: Path) -> None:
    skill("install", "acme/crm")
    (project / ".claude" / "skills").mkdir(parents=True)
    circle = project / ".claude" / "skills" / "crm"
    circle.symlink_to(circle)
    assert skill("uninstall", "acme/crm")["left"] == [str(circle)]


def test_another_namespace_takes_a_folder_over(skill: Skill, project: Path) -> None:
    skill("install", "acme/crm")
    write_wishes(project, {"other/crm": "*"})
    write_skill(project.parent / "skills" / "crm", text="Do it better.")
    told = skill("install")
    assert (told["written"], told["removed"]) == ([str(project / ".agents/skills/crm")], [])
    with pytest.raises(RaptorFlowError, match="both lie in a folder crm"):
        skill("install", "acme/crm")
    assert read_lock(project).keys() == {"other/crm"}


def test_nothing_is_written_when_one_folder_is_not_ours(skill: Skill, project: Path) -> None:
    (project / ".claude" / "skills" / "ads").mkdir(parents=True)
    (project / ".claude" / "skills" / "ads" / "mine.md").touch()
    with pytest.raises(RaptorFlowError, match="not installed"):
        skill("install", "acme/ads", *BOTH)
    assert [path.name for path in project.rglob("*") if path.is_file()] == ["mine.md"]
    assert len(skill("install", "acme/ads", *BOTH, "--force")["written"]) == 4


def test_what_is_installed_everywhere_is_written_into_no_project(skill: Skill, project: Path) -> None:
    skill("install", "acme/crm")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    home, own = project.parent / "home", project.parent / "settings" / "raptorflow"
    told = skill("install", "acme/ads", "--global", "--client", "claude")
    assert told["removed"] == []
    assert (home / ".claude" / "skills" / "voice" / "SKILL.md").is_file()
    assert read_lock(own).keys() == {"acme/ads", "acme/voice"}
    assert skill("lock", "--verify", "--global", "--client", "claude")["ok"]
    assert skill("update", "--global", "--client", "claude")["changes"] == []
    assert skill("uninstall", "acme/ads", "--global")["left"] == []
    assert list((home / ".claude" / "skills").iterdir()) == []
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_uninstalling_keeps_what_others_build_on(skill: Skill, project: Path) -> None:
    skill("install", "acme/ads", "acme/voice", "acme/crm")
    lock = read_lock(project)
    assert len(skill("uninstall", "acme/voice", "acme/crm", "--dry-run")["removed"]) == 1
    assert read_lock(project) == lock
    skill("uninstall", "acme/voice", "acme/crm")
    assert read_lock(project) == {name: lock[name] for name in ("acme/ads", "acme/voice")}
    assert skill("lock", "--verify")["ok"]
    for name in ("acme/voice", "crm"):
        with pytest.raises(RaptorFlowError, match="not wished for"):
            skill("uninstall", name)


def test_a_folder_of_the_user_that_cannot_be_made_is_said(
    skill: Skill, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.parent / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project.parent / "file"))
    with pytest.raises(RaptorFlowError, match="cannot be made"):
        skill("install", "acme/crm", "--global")
