"""Folders of snapshots go with their manager, also when it was killed."""

import os
from pathlib import Path

import pytest

from raptorflow.base.json import dumps
from raptorflow.sandbox.drivers.microvm.snapshots import Snapshots

NOBODYS = [str(2**22 + 1), "1", "another boot"]


def made(snapshots: Snapshots, name: str) -> Path:
    folder = snapshots.folder(name)
    snapshots.make(folder)
    return folder


def test_a_folder_is_private_and_goes_at_the_end(tmp_path: Path) -> None:
    own, other = Snapshots(tmp_path / "all"), Snapshots(tmp_path / "all")
    kept, removed = made(own, "kept"), made(own, "removed")
    assert kept.stat().st_mode & 0o077 == 0
    own.remove(removed)
    own.remove(made(other, "other"))
    own.close()
    assert os.listdir(tmp_path / "all") == ["other"]


def test_what_a_dead_manager_left_is_removed(tmp_path: Path) -> None:
    own = Snapshots(tmp_path)
    (made(own, "dead") / "note.json").write_text(dumps({"manager": NOBODYS}))
    living = made(own, "living")
    assert Snapshots(tmp_path).reap() == 1
    assert list(tmp_path.iterdir()) == [living]


def test_a_name_is_given_once(tmp_path: Path) -> None:
    own, other = Snapshots(tmp_path), Snapshots(tmp_path)
    one = made(own, "one")
    with pytest.raises(OSError, match="exists"):
        made(other, "one")
    other.remove(one)
    assert one.exists()


def test_where_there_are_none_nothing_is_removed(tmp_path: Path) -> None:
    assert Snapshots(tmp_path / "none").reap() == 0
