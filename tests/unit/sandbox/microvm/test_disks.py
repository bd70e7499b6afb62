"""Host folders as disks: one for each content."""

import os
import shutil
from pathlib import Path

import pytest
from tests.unit.sandbox.microvm.erofs_reader import read_erofs

from raptorflow.sandbox.drivers.microvm.disks import Disk, Disks
from raptorflow.sandbox.drivers.microvm.image.erofs import label_of
from raptorflow.sandbox.errors import SandboxUnavailable

MIB = 1024 * 1024
LONG_AGO = 1_000_000_000


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path / "disks", MIB)


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    folder = tmp_path / "skill"
    (folder / "scripts").mkdir(parents=True)
    (folder / "SKILL.md").write_text("a skill")
    (folder / "scripts" / "run").write_text("run")
    (folder / "scripts" / "run").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def test_a_folder_is_packed_with_links_as_links(disks: Disks, skill: Path) -> None:
    disk = disks.pack(skill)
    read = read_erofs(disk.file.read_bytes())
    assert read["SKILL.md"].content == b"a skill"
    assert read["scripts/run"].mode & 0o111
    assert read["link"].content == b"/etc/passwd"
    assert label_of(disk.file) == disk.label


def test_equal_content_is_one_disk_wherever_it_lies(disks: Disks, skill: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(skill, tmp_path / "copy", symlinks=True)
    assert disks.pack(copy) == disks.pack(skill) == disks.pack(skill)


def test_a_change_of_the_same_size_and_time_is_seen(disks: Disks, skill: Path) -> None:
    before, times = disks.pack(skill), (skill / "SKILL.md").stat()
    (skill / "SKILL.md").write_text("A SKILL")
    os.utime(skill / "SKILL.md", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert disks.pack(skill) != before


def test_one_file_is_a_disk_with_its_content(disks: Disks, skill: Path) -> None:
    disk = disks.pack(skill / "SKILL.md")
    assert disk.kind == "file"
    assert read_erofs(disk.file.read_bytes())["content"].content == b"a skill"


def test_a_pipe_is_refused(disks: Disks, skill: Path) -> None:
    os.mkfifo(skill / "pipe")
    with pytest.raises(SandboxUnavailable, match="pipe"):
        disks.pack(skill)


def test_a_folder_that_is_not_there_is_refused(disks: Disks, tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable):
        disks.pack(tmp_path / "missing")


def test_what_was_used_least_recently_goes_first(tmp_path: Path) -> None:
    disks = Disks(tmp_path / "disks", 700 * 1024)
    packed: list[Disk] = []
    for number in range(4):
        (tmp_path / f"{number}").write_bytes(bytes([number]) * 300 * 1024)
        packed.append(disks.pack(tmp_path / f"{number}"))
        os.utime(packed[-1].file, (number, number))
    assert [disk.file.exists() for disk in packed] == [False, False, True, True]
    assert disks.pack(tmp_path / "0").file.exists()


@pytest.mark.parametrize("most_bytes", [0, 1024])
def test_what_was_just_packed_is_there_however_small_the_cache(
    tmp_path: Path, skill: Path, most_bytes: int
) -> None:
    disks = Disks(tmp_path / "disks", most_bytes)
    first, plan, second = (
        disks.pack(skill),
        disks.of_text("plan", "p", "plan"),
        disks.pack(skill / "SKILL.md"),
    )
    assert [disk.file.exists() for disk in (first, plan, second)] == [True] * 3
    for disk in (first, plan, second):
        os.utime(disk.file, (LONG_AGO, LONG_AGO))
    third = disks.pack(skill / "scripts")
    assert [disk.file.exists() for disk in (first, plan, second, third)] == [False, False, False, True]


def test_a_disk_that_is_asked_for_again_counts_as_used(tmp_path: Path, skill: Path) -> None:
    disks = Disks(tmp_path / "disks", 0)
    asked = [lambda: disks.pack(skill), lambda: disks.of_text("plan", "p", "plan")]
    for disk in [ask() for ask in asked]:
        os.utime(disk.file, (LONG_AGO, LONG_AGO))
    again = [ask() for ask in asked]
    disks.pack(skill / "SKILL.md")
    assert all(disk.file.exists() for disk in again)


def test_drafts_of_the_dead_are_removed_and_those_being_written_are_not(tmp_path: Path, skill: Path) -> None:
    disks = Disks(tmp_path / "disks", MIB)
    disks.pack(skill)
    dead, alive = tmp_path / "disks" / "a.draft", tmp_path / "disks" / "b.draft"
    for draft in (dead, alive):
        draft.touch()
    os.utime(dead, (LONG_AGO, LONG_AGO))
    disks.pack(skill / "SKILL.md")
    assert (dead.exists(), alive.exists()) == (False, True)
