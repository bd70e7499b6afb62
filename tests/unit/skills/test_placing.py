"""A skill's folder that is replaced: what was killed half-way, what is a link, and what is its user's."""

import os
from pathlib import Path

import pytest

from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.placing.place import place

FILES = {"SKILL.md": b"hello"}


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
