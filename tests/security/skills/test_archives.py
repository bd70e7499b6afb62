"""Hostile archives: refused with a code, nothing outside, nothing unbounded."""

import gzip
import io
import os
import stat
import subprocess
import sys
import tarfile
import tracemalloc
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


def test_a_file_that_starts_with_a_dot_is_kept() -> None:
    files = FILES | {".gitignore": b"out/", "assets/.keep": b""}
    assert unpack(pack_files("greet", files, ())).files == files


def test_what_a_system_adds_to_archives_is_left_out() -> None:
    added = {"__MACOSX/greet/._SKILL.md": b"x", "greet/.DS_Store": b"x", "greet/__pycache__/a.pyc": b"x"}
    unpacked = unpack(zip_of(("greet/SKILL.md", SKILL_MD), *added.items()))
    assert (unpacked.files, unpacked.folder_name) == ({"SKILL.md": SKILL_MD}, "greet")


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("A/x", "a/y"), ("stra\u00dfe", "strasse")])
def test_paths_that_fall_on_each_other_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(zip_of(*((f"s/{name}", b"") for name in names)))


def gzipped(*headers: tuple[bytes, bytes, bytes]) -> bytes:
    """A tar of raw entries: name, type, content."""
    plain = b""
    for name, kind, content in headers:
        entry = tarfile.TarInfo(name.decode())
        entry.type, entry.size = kind, len(content)
        plain += entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
    return gzip.compress(plain + bytes(2 * tarfile.BLOCKSIZE))


def pax(**records: str) -> bytes:
    """Records of a pax header."""
    written = b""
    for key, value in records.items():
        line = f" {key}={value}\n".encode()
        length = len(line) + 1
        while len(str(length)) + len(line) != length:
            length += 1
        written += str(length).encode() + line
    return written


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_tars_as_other_programs_write_them_are_read(form: int, tmp_path: Path) -> None:
    files = FILES | {"references/" + "long-name-" * 15 + "\u00fc.md": b"x"}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=form, pax_headers={"comment": "c"}) as archive:
        folder = tarfile.TarInfo("./greet")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for path, content in files.items():
            entry = tarfile.TarInfo(f"./greet/{path}")
            entry.size, entry.mode, entry.mtime = len(content), 0o755 if path.endswith(".sh") else 0o644, 0.5
            archive.addfile(entry, io.BytesIO(content))
    unpacked = unpack(target.getvalue())
    assert unpacked.files == files
    assert unpacked.executables == {"scripts/run.sh"}


@pytest.mark.parametrize(
    "headers",
    [
        ((b"x", tarfile.XHDTYPE, pax(path="../x")), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.GNUTYPE_LONGNAME, b"/etc/x\0"), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.XHDTYPE, pax(size="99999999")), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.XHDTYPE, pax(**{"GNU.sparse.major": "1"})), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.XHDTYPE, b"99999 path=x\n"), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.XHDTYPE, b"-5 path=x\n"), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.XHDTYPE, b"9" * 70_000), (b"a", tarfile.REGTYPE, b"")),
        ((b"x", tarfile.GNUTYPE_SPARSE, b""),),
        ((b"x", b"Z", b""),),
    ],
)
def test_extended_headers_that_mislead_are_refused(headers: tuple[tuple[bytes, bytes, bytes], ...]) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(gzipped(*headers))


def test_a_negative_size_is_refused() -> None:
    header = bytearray(tarfile.TarInfo("x").tobuf())
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    with pytest.raises(ArchiveRefused):
        unpack(gzip.compress(bytes(header) + bytes(1024)))


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.DIRTYPE, tarfile.REGTYPE]
)
def test_a_tar_that_grows_a_thousandfold_takes_bounded_memory(kind: bytes) -> None:
    bomb = gzipped((b"x", kind, bytes(200 * 2**20)))
    tracemalloc.start()
    with pytest.raises(ArchiveRefused):
        unpack(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 130 * 2**20


def test_something_behind_a_tar_is_refused() -> None:
    good = gzipped((b"SKILL.md", tarfile.REGTYPE, SKILL_MD))
    assert unpack(good).files == {"SKILL.md": SKILL_MD}
    for tail in (good, b"x"):
        with pytest.raises(ArchiveRefused):
            unpack(good + tail)


def test_a_zip_of_countless_folders_is_refused_before_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(*given: object) -> None:
        pytest.fail("The directory was read.")

    record = zip_of(("f/", b""))
    start = record.index(b"PK\x01\x02")
    end = record.index(b"PK\x05\x06")
    directory = record[start:end] * 900_000
    tail = bytearray(record[end:])
    tail[12:16] = len(directory).to_bytes(4, "little")
    tail[16:20] = start.to_bytes(4, "little")
    monkeypatch.setattr(zipfile, "ZipFile", listed)
    with pytest.raises(ArchiveRefused):
        unpack(record[:start] + directory + bytes(tail))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_compression_that_asks_for_memory_is_refused(method: int) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("SKILL.md", SKILL_MD)
    with pytest.raises(ArchiveRefused):
        unpack(target.getvalue())


def test_an_archive_that_grows_beyond_reason_is_refused() -> None:
    with pytest.raises(ArchiveRefused):
        unpack(zip_of(*((f"f{n}", bytes(9 * 2**20)) for n in range(4))))


def test_a_changed_byte_of_content_is_noticed() -> None:
    place = PACKED.index(b"Hello.")
    with pytest.raises(ArchiveRefused):
        unpack(PACKED[:place] + b"J" + PACKED[place + 1 :])


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
