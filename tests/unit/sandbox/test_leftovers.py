"""Notes of managers: of living ones they are left alone, of dead ones what they name is removed."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from raptorflow.base.json import dumps
from raptorflow.sandbox.born import born
from raptorflow.sandbox.drivers.local.leftovers import PREFIX, Note, reap, remove_noted, state_folder
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.settings import SandboxSettings


@pytest.fixture
def group(tmp_path: Path) -> Path:
    folder = tmp_path / "groups" / f"{PREFIX}1-x"
    (folder / "run").mkdir(parents=True)
    return folder


def test_a_living_managers_note_is_left_alone(tmp_path: Path, group: Path) -> None:
    note = Note(tmp_path, f"{PREFIX}x")
    note.write((group,))
    assert reap(tmp_path) == 0
    assert group.exists()
    remove_noted(note, (group,))
    assert not group.exists()
    assert not note.file.exists()


@pytest.mark.parametrize("changed", ["pid", "started", "boot"])
def test_what_a_dead_manager_left_is_removed(tmp_path: Path, group: Path, changed: str) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    pid, started, boot = born(os.getpid())
    living = {"pid": int(pid), "started": int(started), "boot": boot}
    other = {"pid": dead.pid, "started": 1, "boot": "another"}
    file = tmp_path / f"{PREFIX}x.json"
    file.write_text(dumps({**living, changed: other[changed], "folders": [str(group)]}))
    assert reap(tmp_path) == 1
    assert not group.exists()
    assert not file.exists()


def test_a_group_that_still_has_something_in_it_is_left_to_the_next(tmp_path: Path, group: Path) -> None:
    (group / "run" / "busy").mkdir()
    file = tmp_path / f"{PREFIX}x.json"
    file.write_text(dumps({"pid": 0, "folders": [str(group)]}))
    assert reap(tmp_path) == 1
    assert file.exists()
    (group / "run" / "busy").rmdir()
    reap(tmp_path)
    assert not group.exists()
    assert not file.exists()


def test_a_process_with_a_dead_managers_name_is_ended(tmp_path: Path) -> None:
    name, other = f"{PREFIX}1-{tmp_path.name}", f"{PREFIX}2-{tmp_path.name}"
    (tmp_path / f"{name}.json").write_text(dumps({"pid": 0, "folders": []}))
    with (
        subprocess.Popen(["sh", "-c", "read -r x", name], stdin=subprocess.PIPE) as orphan,
        subprocess.Popen(["sh", "-c", "read -r x", other], stdin=subprocess.PIPE) as bystander,
    ):
        reap(tmp_path)
        assert orphan.wait(timeout=20) == -signal.SIGKILL
        assert bystander.poll() is None


def test_only_our_own_groups_are_ever_removed(tmp_path: Path) -> None:
    other = tmp_path / "somebody-elses"
    other.mkdir()
    (tmp_path / f"{PREFIX}x.json").write_text(dumps({"pid": 0, "folders": [str(other)]}))
    (tmp_path / f"{PREFIX}y.json").write_text("{ not json")
    assert reap(tmp_path) == 2
    assert other.exists()


def test_the_state_folder_is_private(tmp_path: Path) -> None:
    folder = state_folder(SandboxSettings(state_dir=tmp_path / "a" / "b"))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(SandboxUnavailable, match="others may write"):
        state_folder(SandboxSettings(state_dir=tmp_path))


def test_a_process_is_known_by_when_it_started() -> None:
    assert born(os.getpid()) == born(os.getpid())
    assert born(os.getpid())[1] != born(1)[1]
    assert born(2**22 + 1) == []
