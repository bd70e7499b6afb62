"""Gzipped tar archives as entries.

`tarfile` reads extended headers of any size into memory and searches them in quadratic time, before its
caller sees an entry. So it only decodes the 512-byte headers here, and the walk over them is bounded.
"""

import tarfile
import zlib
from collections.abc import Iterator

from raptorflow.skills.containers.entry import ArchiveLimits, Entry
from raptorflow.skills.errors import ArchiveRefused

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31
BLOCK = 512
MAX_EXTENDED = 64 * 1024
FILE_TYPES = {tarfile.REGTYPE, tarfile.AREGTYPE}
NAME_TYPES = {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE}
# Entries without content of their own: folders, and headers such as the one `git archive` writes.
PASSED_OVER = {tarfile.DIRTYPE, tarfile.XGLTYPE}


def tar_entries(data: bytes, limits: ArchiveLimits) -> Iterator[Entry]:
    """The files of a gzipped tar.

    Raises:
        ArchiveRefused: it has links, devices, sparse files, or too much of anything.
    """
    plain = _gunzip(data, limits)
    long_name: str | None = None
    for header, content in _headers(plain, limits):
        if header.type in NAME_TYPES:
            long_name = _extended_name(header, content)
            continue
        name = (long_name or header.name).removeprefix("./")
        long_name = None
        if header.type in FILE_TYPES:
            if len(content) > limits.file_bytes:
                raise ArchiveRefused(f"{name!r} has more than {limits.file_bytes} bytes.")
            yield Entry(name, bool(header.mode & 0o100), content)
        elif header.type not in PASSED_OVER:
            raise ArchiveRefused(f"{name!r} is no regular file.")


def _headers(plain: bytes, limits: ArchiveLimits) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    place = 0
    for _ in range(limits.entries):
        block = plain[place : place + BLOCK]
        if not block.strip(b"\0"):
            return
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        start = place + BLOCK
        content = plain[start : start + max(header.size, 0)]
        if len(content) != header.size:
            raise ArchiveRefused(f"{header.name!r} is cut off.")
        yield header, content
        place = start + -(-header.size // BLOCK) * BLOCK
    raise ArchiveRefused(f"The archive has {limits.entries} entries or more.")


def _gunzip(data: bytes, limits: ArchiveLimits) -> bytes:
    most = limits.total_bytes + limits.entries * BLOCK * 2
    stream = zlib.decompressobj(GZIP_WINDOW)
    plain = stream.decompress(data, most + 1)
    if len(plain) > most:
        raise ArchiveRefused(f"The archive unpacks to more than {limits.total_bytes} bytes.")
    if not stream.eof or stream.unused_data.strip(b"\0"):
        raise ArchiveRefused("The archive is cut off, or something follows it.")
    return plain


def _extended_name(header: tarfile.TarInfo, content: bytes) -> str | None:
    if len(content) > MAX_EXTENDED:
        raise ArchiveRefused(f"An extended header has {len(content)} bytes; {MAX_EXTENDED} are the limit.")
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return content.rstrip(b"\0").decode()
    records = dict(_pax_records(content))
    # These change how the next entry is to be read; no ordinary archive of small files has them.
    if "size" in records or any(key.startswith("GNU.sparse") for key in records):
        raise ArchiveRefused("The archive has sparse or very large files.")
    return records.get("path")


def _pax_records(content: bytes) -> Iterator[tuple[str, str]]:
    """Records of `LENGTH KEY=VALUE` and a line end, where the length counts all of it (POSIX pax)."""
    place = 0
    while place < len(content):
        space = content.index(b" ", place, place + 20)
        end = place + int(content[place:space])
        if not space < end <= len(content):
            raise ValueError("a pax record has a wrong length")
        key, _, value = content[space + 1 : end - 1].partition(b"=")
        yield key.decode(), value.decode(errors="surrogateescape")
        place = end
