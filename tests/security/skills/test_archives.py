"""Hostile archives: refused with a code, nothing outside, nothing unbounded."""

import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.archive import ArchiveLimits, pack, pack_files, unpack
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.errors import ArchiveRefused

SKILL_MD = b"---\nname: greet\ndescription: Greets.\n---\nHello.\n"
FILES = {"SKILL.md": SKILL_MD, "scripts/run.sh": b"echo hi", "a.txt": b"a" * 100}
PACKED = pack_files("greet", FILES, {"scripts/run.sh"})


def zip_of(*entries: tuple[str, bytes], mode: int = 0o100644) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return target.getvalue()


def tar_of(entry: tarfile.TarInfo, content: bytes = b"") -> bytes:
    target = io.BytesIO()
    entry.size = len(content)
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def tar_entry(name: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = "/etc/passwd"
    return entry


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "a/../../x",
        "a\\..\\x",
        "C:/x",
        "a/./b",
        "x ",
        "a./b",
        "\n",
        "d/" * 20 + "x",
        "n" * 300,
    ],
)
def test_a_path_that_leads_astray_is_refused(name: str) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(tar_of(tarfile.TarInfo(name), b"x"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_are_refused(kind: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(tar_of(tar_entry("x", kind)))


def test_a_link_in_a_zip_is_refused() -> None:
    with pytest.raises(ArchiveRefused):
        unpack(zip_of(("x", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777))


def test_a_doubled_path_is_refused_whatever_its_case() -> None:
    with pytest.raises(ArchiveRefused):
        unpack(zip_of(("s/SKILL.md", b"1"), ("s/skill.MD", b"2")))


def test_bombs_are_refused_without_unpacking_them() -> None:
    limits = ArchiveLimits(file_bytes=1000, total_bytes=3000, files=5)
    for bomb in (
        zip_of(("a", b"\0" * 1001)),
        zip_of(*((f"f{n}", b"\0" * 900) for n in range(5))),
        zip_of(*((f"f{n}", b"") for n in range(6))),
    ):
        with pytest.raises(ArchiveRefused):
            unpack(bomb, limits)
    with pytest.raises(ArchiveRefused):
        unpack(b"\0" * 100, ArchiveLimits(archive_bytes=99))


def test_what_is_packed_is_unpacked_the_same() -> None:
    unpacked = unpack(PACKED)
    assert unpacked.files == FILES
    assert unpacked.executables == {"scripts/run.sh"}
    assert unpacked.folder_name == "greet"


def test_both_layouts_are_read() -> None:
    assert unpack(zip_of(*FILES.items())).files == FILES


def test_packing_gives_the_same_bytes_whenever_and_however_the_files_came(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from raptorflow.skills.archive import pack; "
    script += "sys.stdout.buffer.write(pack(Path(sys.argv[1])))"
    results: set[bytes] = set()
    for number, umask in enumerate((0o022, 0o077)):
        folder = tmp_path / str(number) / "greet"
        for path in sorted(FILES, reverse=bool(number)):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(FILES[path])
            target.chmod(0o755 & ~umask if path.endswith(".sh") else 0o666 & ~umask)
            os.utime(target, (number * 10**9, number * 10**9))
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "x.pyc").write_bytes(bytes([number]))
        zone = {"TZ": ["UTC", "Asia/Tokyo"][number], "PYTHONHASHSEED": str(number)}
        environment = {**os.environ, **zone}
        results.add(subprocess.check_output([sys.executable, "-c", script, str(folder)], env=environment))
    assert results == {pack(tmp_path / "0" / "greet")}
    assert tree_digest(FILES, {"scripts/run.sh"}) == tree_digest(
        unpack(results.pop()).files, {"scripts/run.sh"}
    )


@given(st.integers(0, len(PACKED) - 1), st.integers(0, 255), st.integers(0, len(PACKED)))
def test_any_damage_is_refused_or_read_within_limits(place: int, value: int, cut: int) -> None:
    damaged = bytearray(PACKED)
    damaged[place] = value
    for data in (bytes(damaged), PACKED[:cut], bytes(damaged[:cut])):
        try:
            unpacked = unpack(data, ArchiveLimits(total_bytes=10_000))
        except ArchiveRefused:
            continue
        assert sum(map(len, unpacked.files.values())) <= 10_000


@given(st.binary(max_size=500))
def test_any_bytes_are_refused_with_a_code(data: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\x1f\x8b"):
        with pytest.raises(ArchiveRefused):
            unpack(prefix + data)
