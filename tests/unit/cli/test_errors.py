"""What people get wrong is one line with a code and a hint, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from raptorflow.cli import main as main_module
from raptorflow.cli.main import show_error
from raptorflow.cli.skill.sending import PublishFailed

COMMAND = [sys.executable, "-m", "raptorflow.cli.main"]
SECONDS = 120.0


def fails(*arguments: str, folder: Path, code: int = 1, **variables: str) -> str:
    """The output of a command that has to fail."""
    ended = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "XDG_CONFIG_HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    told = ended.stdout + ended.stderr
    assert ended.returncode == code, told
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("port", ["0", "99999"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    told = fails("run", "--port", port, "--data", str(tmp_path / "data"), folder=tmp_path, code=2)
    assert f'Invalid value "{port}" for --port' in told
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["doctor", "run", "demo"])
def test_a_setting_that_does_not_fit_is_named_and_not_repeated(tmp_path: Path, command: str) -> None:
    told = fails(command, folder=tmp_path, RAPTORFLOW_ORCHESTRATOR__MAX_STEPS="a-secret")
    assert "setting-invalid" in told
    assert "RAPTORFLOW_ORCHESTRATOR__MAX_STEPS" in told
    assert "hint:" in told
    assert "a-secret" not in told


def test_a_setting_that_cannot_be_taken_apart(tmp_path: Path) -> None:
    told = fails("doctor", folder=tmp_path, RAPTORFLOW_DATABASE="{not json")
    assert "setting-invalid" in told
    assert "database" in told


def test_a_settings_file_that_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "raptorflow.toml").write_text("port = [")
    told = json.loads(fails("doctor", "--json", folder=tmp_path))
    assert told["error"]["code"] == "setting-invalid"
    assert str(tmp_path / "raptorflow.toml") in told["error"]["detail"]


@pytest.mark.parametrize(
    "command",
    [("run", "--port", "1"), ("demo",)],
    ids=["run", "demo"],
)
def test_a_data_folder_that_is_a_file_or_cannot_be_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()
    for data in (file, file / "below", Path("/proc/nothing")):
        told = fails(*command, "--data", str(data), folder=tmp_path)
        assert "folder-unusable" in told
        assert "--data DIR" in told


def test_a_skill_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = fails("skill", "new", "my-skill", "--folder", "file", folder=tmp_path)
    assert "folder-unwritable" in told
    assert "--folder" in told


def test_an_archive_that_cannot_be_written(tmp_path: Path) -> None:
    skill = tmp_path / "greet"
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\nname: greet\ndescription: Greets.\n---\nHello.\n")
    told = fails("skill", "pack", "greet", "-o", "nowhere/x.skill", folder=tmp_path)
    assert "file-unusable" in told
    assert "--output" in told


def test_what_is_no_file_is_said_to_be_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder" in fails("ask", "x", "--file", ".", folder=tmp_path)
    assert "Save it to a file first" in fails("ask", "x", "--file", "pipe", folder=tmp_path)
    assert "There is no file gone.csv" in fails("ask", "x", "--file", "gone.csv", folder=tmp_path)


def test_the_demo_looks_at_a_file_s_size_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "large.csv").write_bytes(b"a,b\n1,2\n")
    told = json.loads(
        fails(
            "demo",
            "--file",
            "large.csv",
            "--data",
            "data",
            "--json",
            folder=tmp_path,
            RAPTORFLOW_ORCHESTRATOR__MAX_FILE_BYTES="4",
        )
    )
    assert told["error"]["code"] == "file-too-large"
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    told = fails("skill", "validate", "nothere", folder=tmp_path)
    assert told.startswith("nothere: error: nothere is not a folder.")


def test_the_words_of_a_server_do_not_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    problem = {"detail": "\x1b]0;owned\x07no", "code": "[/x]", "hint": "\x1b[2Jtry"}
    show_error(PublishFailed(problem), as_json=False)
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "([/x])" in told
    assert "no" in told


def test_a_defect_is_an_object_on_stdout_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(main_module, "app", broken)
    monkeypatch.setattr(sys, "argv", ["raptorflow", "skill", "validate", "--json=true"])
    with pytest.raises(SystemExit):
        main_module.main()
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["code"] == "unexpected"
    assert "ZeroDivisionError" in said.err
