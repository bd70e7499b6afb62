"""Skills' folders that are taken away: what is untouched goes, and somebody's work stays."""

import os
from pathlib import Path

import pytest

from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.placing.place import digest_of_folder, is_untouched, place, remove

FILES = {"SKILL.md": b"hello", "scripts/a.py": b"1"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / ".agents" / "skills" / "greet"
    place(folder, FILES, ())
    return folder


def digests(target: Path) -> set[str]:
    digest = digest_of_folder(target)
    assert digest
    return {digest}


def test_an_untouched_folder_is_removed_with_what_its_runs_left_behind(target: Path) -> None:
    (target / "scripts" / "__pycache__").mkdir()
    assert is_untouched(target, digests(target))
    remove(target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("change", ["edit", "mode", "add", "link", "fifo", "repository", "unencodable"])
def test_whatever_somebody_did_to_a_folder_shows(target: Path, change: str) -> None:
    was = digests(target)
    if change == "edit":
        (target / "SKILL.md").write_bytes(b"hellO")
    elif change == "mode":
        (target / "SKILL.md").chmod(0o755)
    elif change == "add":
        (target / "notes.md").touch()
    elif change == "link":
        (target / "SKILL.md").unlink()
        (target / "SKILL.md").symlink_to("scripts/a.py")
    elif change == "fifo":
        os.mkfifo(target / "scripts" / "pipe")
    elif change == "repository":
        (target / ".git").mkdir()
    else:
        Path(f"{target}/b\udcff").touch()
    assert not is_untouched(target, was)


@pytest.mark.parametrize("above", [".agents", ".agents/skills", ".agents/skills/greet"])
def test_nothing_is_untouched_behind_a_link(target: Path, tmp_path: Path, above: str) -> None:
    was = digests(target)
    (tmp_path / above).rename(tmp_path / "elsewhere")
    (tmp_path / above).symlink_to(tmp_path / "elsewhere")
    assert not is_untouched(target, was)


def test_a_repository_is_replaced_by_force_alone_and_kept_beside(target: Path) -> None:
    was = digests(target)
    (target / ".git").mkdir()
    assert not place(target, FILES, ())
    assert place(target, {"SKILL.md": b"new"}, (), replaceable=was, force=True)
    assert (target.parent / ".greet.backup-1" / ".git").is_dir()


def test_a_folder_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    with pytest.raises(FolderUnwritable):
        remove(tmp_path / "none" / "greet")
    with pytest.raises(FolderUnwritable):
        remove(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
