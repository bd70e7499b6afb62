"""A folder of our own lies where nobody else can put another one in its place."""

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.places import private_folder

STRANGER = 1234


def writable(above: Path) -> None:
    above.chmod(0o777)


def writable_by_a_group(above: Path) -> None:
    above.chmod(0o775)


def a_strangers(above: Path) -> None:
    os.chown(above, STRANGER, STRANGER)


@pytest.fixture
def usual_umask() -> Generator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


@pytest.mark.parametrize("harm", [writable, writable_by_a_group, a_strangers])
@pytest.mark.parametrize("steps", ["own", "between/own"])
def test_a_folder_in_a_place_that_is_not_ours_is_refused(
    tmp_path: Path, harm: Callable[[Path], None], steps: str
) -> None:
    if harm is a_strangers and os.geteuid():
        # Only root can give a folder away; for others the system's own folders are the only foreign ones.
        assert private_folder(tmp_path / steps).is_dir()
        return
    (tmp_path / "above").mkdir()
    harm(tmp_path / "above")
    with pytest.raises(SandboxUnavailable, match="above belongs to another user, or others may") as refused:
        private_folder(tmp_path / "above" / steps)
    assert refused.value.hint


def test_a_link_to_such_a_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(SandboxUnavailable, match="open belongs to another user"):
        private_folder(tmp_path / "link" / "own")


def test_a_sticky_place_will_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert private_folder(tmp_path / "own").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("usual_umask")
def test_what_is_made_above_it_will_do_next_time_too(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "own"
    assert private_folder(folder) == private_folder(folder)
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.parents[:2])] == [0o700, 0o755, 0o755]


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SandboxUnavailable, match="cannot be made"):
        private_folder(tmp_path / "file" / "own")
