"""Checking a folder: whatever lies in it, the answer is findings."""

import os
from pathlib import Path

import pytest

from raptorflow.skills.files import MAX_FILE_BYTES, belongs
from raptorflow.skills.findings import MAX_FINDINGS, Findings
from raptorflow.skills.validate import validate

SKILL_MD = b"---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A valid skill's folder."""
    made = tmp_path / "greet"
    made.mkdir()
    made.joinpath("SKILL.md").write_bytes(SKILL_MD)
    return made


def codes(folder: Path) -> list[str]:
    return [finding.code for finding in validate(folder)]


def test_a_flawless_folder_has_no_findings(folder: Path) -> None:
    assert validate(folder) == []


def test_what_programs_leave_behind_is_not_looked_at(folder: Path) -> None:
    for path in ("__pycache__/a.pyc", "node_modules/x/y.js", ".git/config", ".DS_Store", "a.pyc"):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to("/etc/passwd")
        assert not belongs(path)
    assert validate(folder) == []


def test_links_are_found_to_files_and_to_folders(folder: Path) -> None:
    folder.joinpath("file").symlink_to("/etc/passwd")
    folder.joinpath("folder").symlink_to("/etc")
    assert [(finding.code, finding.file) for finding in validate(folder)] == [
        ("skill/not-a-file", "file"),
        ("skill/not-a-file", "folder"),
    ]


def test_a_pipe_is_found_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert codes(folder) == ["skill/not-a-file"]


def test_a_file_over_the_limit_is_found(folder: Path) -> None:
    with folder.joinpath("big").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert codes(folder) == ["skill/too-large"]


def test_a_name_that_is_not_utf8_is_found_and_printable(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x1b.txt")).touch()
    (finding,) = validate(folder)
    assert finding.code == "skill/path-unportable"
    assert finding.file == "\\udcff\\x1b.txt"


def test_names_that_differ_by_case_are_found(folder: Path) -> None:
    folder.joinpath("notes.md").touch()
    folder.joinpath("Notes.md").touch()
    assert codes(folder) == ["skill/path-clash"]


def test_a_file_with_nearly_the_right_name_is_pointed_at(tmp_path: Path) -> None:
    tmp_path.joinpath("skill.md").write_bytes(SKILL_MD)
    (finding,) = validate(tmp_path)
    assert finding.remedy == "Rename skill.md."


def test_no_folder_is_a_finding(tmp_path: Path) -> None:
    assert codes(tmp_path / "gone") == ["skill/folder-missing"]


def test_a_link_that_leads_nowhere_is_a_warning_with_its_line(folder: Path) -> None:
    folder.joinpath("docs").mkdir()
    folder.joinpath("docs/a b.md").touch()
    body = (
        "\n\n[there](docs/a%20b.md#part) [folder](./docs/) [web](https://example.com) `[code](gone.md)`\n"
        "```\n[fenced](gone.md)\n```\n[gone](docs/gone.md)\n"
    )
    folder.joinpath("SKILL.md").write_bytes(SKILL_MD + body.encode())
    (finding,) = validate(folder)
    assert (finding.code, finding.severity, finding.line) == ("skill/link-missing", "warning", 12)


def test_a_flood_of_findings_is_cut_but_never_hides_that_there_is_an_error() -> None:
    findings = Findings()
    for number in range(2 * MAX_FINDINGS):
        findings.warning("link-missing", "SKILL.md", f"{number}", "Mend it.")
    findings.error("name-missing", "SKILL.md", "`name` is missing.", "Give it one.")
    assert len(findings.all) == MAX_FINDINGS + 1
    assert [finding.code for finding in findings.errors()] == ["skill/name-missing"]
