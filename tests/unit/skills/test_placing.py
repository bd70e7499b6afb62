"""A skill's folder that is replaced: what was killed half-way, what is a link, and what is its user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.placing.place import place

FILES = {"SKILL.md": b"hello"}
KILLED = 9
DISTURBED = """
import os, pathlib, sys
from raptorflow.skills.placing.place import place

target, how, left = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def disturb(event, arguments):
    global left
    if event == "os.rename":
        left -= 1
        if left == 0 and how == "kill":
            os._exit(9)
        if left == 0:
            raise OSError(5, "the disk is gone")

sys.addaudithook(disturb)
place(target, {"SKILL.md": b"hello"}, (), force=True)
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".agents" / "skills" / "greet"
    folder.parent.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("link", [".greet.old-x", ".greet.old-x/greet"])
def test_a_link_that_looks_like_a_leftover_moves_nothing_and_stays(
    tmp_path: Path, target: Path, link: str
) -> None:
    work = tmp_path / "elsewhere" / "greet" / "work.md"
    work.parent.mkdir(parents=True)
    work.write_bytes(b"mine")
    leftover = target.parent / link
    leftover.parent.mkdir(exist_ok=True)
    leftover.symlink_to(work.parent if leftover.name == "greet" else work.parent.parent)
    assert place(target, FILES, ())
    assert work.read_bytes() == b"mine"
    assert leftover.is_symlink()
    assert [path.name for path in target.iterdir()] == ["SKILL.md"]


def test_a_leftover_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    # Root may look everywhere, but at no path that is too long.
    longest = os.pathconf(tmp_path, "PC_PATH_MAX")
    target = tmp_path / "greet"
    while len(str(target.parent)) < longest - 250:
        target = target.parent / ("d" * 100) / "greet"
    target.parent.mkdir(parents=True)
    room = longest - len(f"{target.parent}/.greet.old-") - len("/gree")
    (target.parent / f".greet.old-{'x' * room}").mkdir()
    with pytest.raises(FolderUnwritable, match="cannot be written"):
        place(target, FILES, ())
    assert not target.exists()


def disturbed(target: Path, how: str, rename: int) -> int:
    """Places by force, in a process that is killed or refused by the disk at one of its renames."""
    command = [sys.executable, "-c", DISTURBED, str(target), how, str(rename)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.parametrize(("rename", "code"), [(1, KILLED), (2, KILLED), (3, 0)])
def test_no_kill_costs_work_that_was_replaced_by_force(target: Path, rename: int, code: int) -> None:
    target.mkdir()
    (target / "work.md").write_bytes(b"mine")
    assert disturbed(target, "kill", rename) == code
    for _ in range(2):
        place(target, FILES, (), force=True)
        assert sorted(path.name for path in target.parent.iterdir()) == [".greet.backup-1", "greet"]
        assert (target.parent / ".greet.backup-1" / "work.md").read_bytes() == b"mine"


def test_work_is_back_in_its_place_when_nothing_could_take_it(target: Path) -> None:
    target.mkdir()
    (target / "work.md").write_bytes(b"mine")
    assert disturbed(target, "refuse", 2) == 1
    assert [path.name for path in target.parent.iterdir()] == ["greet"]
    assert (target / "work.md").read_bytes() == b"mine"


def test_what_placing_left_is_no_skill_and_every_other_hidden_folder_may_be(target: Path) -> None:
    place(target, FILES, ())
    (target / "SKILL.md").write_bytes(b"mine")
    assert disturbed(target, "kill", 2) == KILLED
    place(target.with_name(".greet.old-x1y_z") / "greet", FILES, ())
    for name in ("voice", ".greet.backup", ".greet.backup-old", ".greet.newer", ".backup-1"):
        place(target.with_name(name), FILES, ())
    left = {
        path.name.rstrip("0123456789abcdefghijklmnopqrstuvwxyz_") for path in target.parent.glob(".greet.*-*")
    }
    assert left == {".greet.new-", ".greet.old-", ".greet.backup-"}
    found = [folder.name for folder in skill_folders([target.parents[2]])]
    assert found == [".backup-1", ".greet.backup", ".greet.backup-old", ".greet.newer", "voice"]
    backup = target.with_name(".greet.backup-1")
    assert list(skill_folders([backup])) == [backup]
