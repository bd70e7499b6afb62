"""`skills.lock` as text: what is read back, what is refused, and how two people's locks merge."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking import file as lock_file
from raptorflow.skills.locking.file import read_lock, write_lock
from raptorflow.skills.locking.lock import Locked, LockInvalid, needed
from raptorflow.skills.locking.project import write_wishes

URL = "https://flow.example"
FORMAT_1 = """format = 1
[[skill]]
name = "acme/ads"
version = "1.2.0"
digest = "sha256:0"
source = "https://flow.example"
requires = { "acme/voice" = "^1" }
"""


def locked(files: dict[str, bytes], executables: set[str] | None = None, version: str = "1.0.0") -> Locked:
    listing = Listing.of(files, executables or set())
    return Locked(version, listing.digest(), URL, {}, listing)


ADS = locked({"SKILL.md": b"ads", "scripts/run.py": b"1", "scripts/a.py": b"2"}, {"scripts/run.py"})


def test_each_file_has_a_line_and_executables_a_table_of_their_own(tmp_path: Path) -> None:
    write_lock(tmp_path, {"acme/ads": ADS})
    text = (tmp_path / "skills.lock").read_text()
    plain, executables = text.partition("[skill.files]")[2].split("[skill.executables]")
    assert [line.partition(" = ")[0] for line in plain.split("\n") if line] == [
        '"SKILL.md"',
        '"scripts/a.py"',
    ]
    assert executables.startswith('\n"scripts/run.py" = "sha256:')
    assert read_lock(tmp_path) == {"acme/ads": ADS}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), st.binary(max_size=1)))
def test_any_path_is_read_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("lock", numbered=True)
    lock = {"acme/ads": locked(files, set(list(files)[:1]))} if files else {}
    write_lock(folder, lock)
    assert read_lock(folder) == lock


def test_a_lock_without_files_is_read_and_lists_none(tmp_path: Path) -> None:
    (tmp_path / "skills.lock").write_text(FORMAT_1)
    assert read_lock(tmp_path) == {
        "acme/ads": Locked("1.2.0", "sha256:0", URL, {"acme/voice": "^1"}, None),
    }


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("format = 2", "format = 3", "the format 3"),
        ("format = 2", "format = true\n", "format"),
        ('name = "acme/ads"', 'name = "../../ads"', "names no skill"),
        ('name = "acme/ads"', 'name = "acme/.."', "names no skill"),
        ('version = "1.0.0"', 'version = "1"', "no version"),
        ('source = "https:', 'source = "\\u0000https:', "no source"),
        ('source = "https:', 'source = "\\u001b[2Jhttps:', "no source"),
        ('"SKILL.md" = "sha256:', '"SKILL.md" = "sha256:0', "not what its digest says"),
        ('"scripts/a.py" = ', '"scripts/b.py" = ', "not what its digest says"),
        ("[skill.executables]\n", "", "not what its digest says"),
        ('"SKILL.md" = "sha256:', '"SKILL.md" = "md5:', "without its SHA-256"),
        ("[skill.executables]\n", '[skill.executables]\n"SKILL.md" = "sha256:1"\n', "a file twice"),
        ("[skill.files]\n", '[skill.files]\n"SKILL.md" = "sha256:1"\n', "cannot be read"),
        ("[skill.files]\n", 'requires = { "acme/voice" = "^^" }\n[skill.files]\n', "no version range"),
        ("[skill.files]\n", 'requires = { "acme/voice" = 1 }\n[skill.files]\n', "no version range"),
        ("[skill.files]\n", 'requires = { "voice" = "^1" }\n[skill.files]\n', "names no skill"),
        ("\n[skill.files]", "\n<<<<<<< HEAD\n[skill.files]", "marks of a merge"),
    ],
)
def test_a_lock_that_was_tampered_with_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    write_lock(tmp_path, {"acme/ads": ADS})
    file = tmp_path / "skills.lock"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(LockInvalid, match=why):
        read_lock(tmp_path)


def test_a_lock_cut_off_anywhere_is_refused_or_lacks_whole_skills(tmp_path: Path) -> None:
    whole = {"acme/ads": ADS, "acme/voice": locked({"SKILL.md": b"voice"})}
    write_lock(tmp_path, whole)
    content = (tmp_path / "skills.lock").read_bytes()
    for length in range(len(content)):
        (tmp_path / "skills.lock").write_bytes(content[:length])
        try:
            left = read_lock(tmp_path)
        except LockInvalid:
            continue
        for name, one in left.items():
            # Cut off before its list began, an entry is one that lists no files.
            assert one.listing in (whole[name].listing, None)
            assert one.digest == whole[name].digest


def test_a_lock_that_would_be_too_long_to_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(tmp_path, {})
    monkeypatch.setattr(lock_file, "MAX_BYTES", 300)
    with pytest.raises(LockInvalid, match="over 300 bytes"):
        write_lock(tmp_path, {"acme/ads": ADS})
    assert read_lock(tmp_path) == {}


def test_what_cannot_be_written_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "skills.lock").mkdir()
    (tmp_path / "skills.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(FolderUnwritable):
        write_lock(tmp_path, {})
    write_wishes(tmp_path, {"acme/ads": "*"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["skills.lock", "skills.toml"]


def test_locks_of_two_people_who_changed_different_skills_merge(tmp_path: Path) -> None:
    before = {name: locked({"SKILL.md": name.encode()}) for name in ("a/a", "m/m", "z/z")}
    names: list[str] = []
    for name, lock in {
        "ours": before | {"a/a": locked({"SKILL.md": b"new", "more.md": b""}, version="1.1.0")},
        "base": before,
        "theirs": {**before, "z/z": locked({"SKILL.md": b"newer"}, version="2.0.0")},
    }.items():
        (tmp_path / name).mkdir()
        write_lock(tmp_path / name, lock)
        names.append(str(tmp_path / name / "skills.lock"))
    subprocess.run(["git", "merge-file", *names], check=True)
    merged = read_lock(tmp_path / "ours")
    assert {name: one.version for name, one in merged.items()} == {
        "a/a": "1.1.0",
        "m/m": "1.0.0",
        "z/z": "2.0.0",
    }


def test_what_is_needed_follows_what_is_locked() -> None:
    lock = {
        "a/a": Locked("1.0.0", "d", URL, {"b/b": "^1"}),
        "b/b": Locked("1.0.0", "d", URL, {"a/a": "*"}),
        "c/c": Locked("1.0.0", "d", URL),
    }
    assert needed({"a/a": "*"}, lock) == {"a/a", "b/b"}
    assert needed({}, lock) == set()
