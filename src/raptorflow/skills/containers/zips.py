"""Zip archives as entries. Sizes are measured, never believed."""

import io
import stat
import zipfile
from collections.abc import Iterator

from raptorflow.skills.containers.entry import ArchiveLimits, Entry
from raptorflow.skills.errors import ArchiveRefused

# LZMA and bzip2 may ask for gigabytes of memory before the first byte.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
# The end record (22 bytes) may have a comment of up to 65,535 bytes behind it.
TAIL = 22 + 65_535 + 20
DIRECTORY_SIZE = slice(12, 16)
DIRECTORY_BYTES_PER_ENTRY = 1024


def zip_entries(data: bytes, limits: ArchiveLimits) -> Iterator[Entry]:
    """The files of a zip.

    Raises:
        ArchiveRefused: it has links, devices, encryption, rare compression, or too much of anything.
    """
    _refuse_long_directory(data, limits)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > limits.entries:
            raise ArchiveRefused(f"The archive has {len(entries)} entries; {limits.entries} are the limit.")
        for entry in entries:
            if entry.is_dir():
                continue
            mode = entry.external_attr >> 16
            _refuse_odd(entry, mode)
            with archive.open(entry) as file:
                content = file.read(limits.file_bytes + 1)
            if len(content) > limits.file_bytes:
                raise ArchiveRefused(f"{entry.filename!r} has more than {limits.file_bytes} bytes.")
            yield Entry(entry.filename, bool(mode & 0o100), content)


def _refuse_odd(entry: zipfile.ZipInfo, mode: int) -> None:
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise ArchiveRefused(f"{entry.filename!r} is no regular file.")
    if entry.flag_bits & 1:
        raise ArchiveRefused(f"{entry.filename!r} is encrypted.")
    if entry.compress_type not in METHODS:
        raise ArchiveRefused(f"{entry.filename!r} is compressed by a method other than deflate.")


def _refuse_long_directory(data: bytes, limits: ArchiveLimits) -> None:
    """A directory of a million empty entries costs a gigabyte just to list: look at its size first."""
    tail = data[-TAIL:]
    if END_64 in tail:
        raise ArchiveRefused("The archive is a zip64; skills are far smaller than that.")
    place = tail.find(END)
    # Every place that could be read as the end record counts, so it does not matter which one is taken.
    while place >= 0:
        size = int.from_bytes(tail[place:][DIRECTORY_SIZE], "little")
        if size > limits.entries * DIRECTORY_BYTES_PER_ENTRY:
            raise ArchiveRefused(f"A directory of {size} bytes is too long for {limits.files} files.")
        place = tail.find(END, place + 1)
