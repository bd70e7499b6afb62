"""Locks, places and exports: what is written, what is refused, and what stays as it was."""

import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from raptorflow.base.errors import RaptorFlowError
from raptorflow.skills.archive import pack, pack_files
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.exported import Exported, read_export, write_export
from raptorflow.skills.locking.file import read_lock, write_lock
from raptorflow.skills.locking.lock import Locked, LockInvalid, LockOutdated, check_agreement
from raptorflow.skills.locking.project import ProjectInvalid, read_wishes, write_wishes
from raptorflow.skills.placing.place import FolderNotOurs, digest_of_folder, place
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold.new import new_skill

FILES = {"SKILL.md": b"hello", "scripts/a.py": b"1"}
LOCK = {
    "acme/ads": Locked("1.2.0", "sha256:a", "https://flow.example", {"acme/voice": "^1"}),
    "acme/voice": Locked("1.0.0", "sha256:b", "https://flow.example"),
}


def test_a_lock_is_the_same_text_and_is_read_back(tmp_path: Path) -> None:
    write_lock(tmp_path, LOCK)
    text = (tmp_path / "skills.lock").read_text()
    write_lock(tmp_path, dict(reversed(LOCK.items())))
    assert (tmp_path / "skills.lock").read_text() == text
    assert read_lock(tmp_path) == LOCK
    assert [path.name for path in tmp_path.iterdir()] == ["skills.lock"]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "format = 3",
        "format = 1\n[[skill]]\nname = 'a/b'",
        "format = 1\n[[skill]]\nname = 'a/b'\nversion = 'x'\ndigest = 'd'\nsource = 's'",
        "format = 1" + "\n[[skill]]\nname = 'a/b'\nversion = '1.0.0'\ndigest = 'd'\nsource = 's'" * 2,
    ],
)
def test_a_lock_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "skills.lock").write_text(text)
    with pytest.raises(LockInvalid):
        read_lock(tmp_path)


def test_a_lock_agrees_with_the_wishes_and_nothing_else() -> None:
    check_agreement({"acme/ads": "^1"}, LOCK)
    check_agreement({"a/b": "*"}, {"a/b": Locked("1.0.0-rc.1", "d", "s")})
    for wishes in ({"acme/ads": "^2"}, {"acme/crm": "*", "acme/ads": "^1"}, {"acme/voice": "*"}):
        with pytest.raises(LockOutdated):
            check_agreement(wishes, LOCK)


def test_wishes_keep_their_comments(tmp_path: Path) -> None:
    file = tmp_path / "skills.toml"
    file.write_text('# ours\n[skills]\n"a/b" = "^1" # why\n"c/d" = "*"\n')
    write_wishes(tmp_path, {"a/b": "^1", "e/f": "^2"})
    assert file.read_text() == '# ours\n[skills]\n"a/b" = "^1" # why\n"e/f" = "^2"\n'
    for text in ("[skills]\nab = '*'", "skills = 1", "[skills]\n'a/b' = 1", "["):
        file.write_text(text)
        with pytest.raises(ProjectInvalid):
            read_wishes(tmp_path)


def test_a_skill_is_placed_once_and_replaced_only_when_it_is_ours(tmp_path: Path) -> None:
    target = tmp_path / "skills" / "greet"
    assert place(target, FILES, {"scripts/a.py"})
    assert os.access(target / "scripts" / "a.py", os.X_OK)
    assert not place(target, FILES, {"scripts/a.py"})
    digest = digest_of_folder(target)
    newer = {**FILES, "SKILL.md": b"newer"}
    with pytest.raises(FolderNotOurs):
        place(target, newer, ())
    assert digest_of_folder(target) == digest
    assert place(target, newer, (), replaceable={digest or ""})
    (target / "SKILL.md").write_bytes(b"mine")
    assert place(target, FILES, (), force=True)
    left = sorted(path.name for path in target.parent.iterdir())
    assert left == [".greet.backup-1", "greet"]
    assert (target.parent / ".greet.backup-1" / "SKILL.md").read_bytes() == b"mine"


def test_what_was_killed_half_way_is_finished(tmp_path: Path) -> None:
    target = tmp_path / "greet"
    place(target, FILES, ())
    (tmp_path / ".greet.old-x").mkdir()
    target.rename(tmp_path / ".greet.old-x" / "greet")
    (tmp_path / ".greet.new-y").mkdir()
    newer = {**FILES, "SKILL.md": b"newer"}
    with pytest.raises(FolderNotOurs):
        place(target, newer, ())
    assert [path.name for path in tmp_path.iterdir()] == ["greet"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "skills").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderNotOurs):
        place(tmp_path / "skills" / "greet", FILES, ())
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    folder = new_skill(tmp_path, "greet", "python")
    skill = read_skill(folder)
    return Exported("acme/greet", skill.version, skill.digest, pack(folder))


def test_an_export_is_the_same_bytes_and_comes_back(exported: Exported) -> None:
    assert write_export([exported]) == write_export([exported])
    assert read_export(write_export([exported])) == [exported]


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:0"},
        {"name": "acme/.."},
        {"name": "../x"},
        {"archive": "gone"},
        {"version": "../1"},
        {"version": "1.0.0\x1b[2J"},
    ],
)
def test_an_export_that_does_not_hold_is_refused(exported: Exported, change: dict[str, str]) -> None:
    with zipfile.ZipFile(BytesIO(write_export([exported]))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(files["index.json"])
    index["skills"][0] |= change
    files["index.json"] = json.dumps(index).encode()
    with pytest.raises(RaptorFlowError):
        read_export(pack_files("", files, ()))


@pytest.mark.parametrize("content", [b"", b"PK", pack_files("", {"index.json": b"[]"}, ())])
def test_what_is_no_export_is_refused(content: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_export(content)


def test_an_export_holds_no_more_than_its_own_bytes(exported: Exported) -> None:
    with zipfile.ZipFile(BytesIO(write_export([exported]))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(files["index.json"])
    index["skills"] *= 2
    with pytest.raises(ArchiveRefused, match="twice"):
        read_export(pack_files("", files | {"index.json": json.dumps(index).encode()}, ()))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_export_is_refused(exported: Exported, method: int) -> None:
    target = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(write_export([exported]))) as source,
        zipfile.ZipFile(target, "w", method) as packed,
    ):
        for name in source.namelist():
            packed.writestr(name, source.read(name))
    with pytest.raises(ArchiveRefused, match="compressed"):
        read_export(target.getvalue())


def test_an_encrypted_export_is_refused(exported: Exported) -> None:
    content = bytearray(write_export([exported]))
    with zipfile.ZipFile(BytesIO(content)) as archive:
        directory = archive.start_dir
    # The flags of the first file, in its header and in the directory.
    for flags in (6, directory + 8):
        content[flags] |= 1
    with pytest.raises(ArchiveRefused, match="encrypted"):
        read_export(bytes(content))
