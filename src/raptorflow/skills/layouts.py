"""The layouts in which skills are handed on: below their name (`.skill`), or with `SKILL.md` at the root.

Discovery 0.2.0 wants the latter, as `.zip` or `.tar.gz`. Each is the same bytes on every machine: nothing is
compressed, because compressors differ between versions of zlib.
"""

import io
import struct
import tarfile
import zlib
from collections.abc import Collection, Mapping
from typing import Literal

from raptorflow.skills.archive import pack_files

Layout = Literal["skill", "zip", "tar.gz"]
# RFC 1952: deflate, no flags, no time, no hints, an unknown system.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED = 65_535


def packed(name: str, files: Mapping[str, bytes], executables: Collection[str], layout: Layout) -> bytes:
    """The archive of a skill's files."""
    if layout == "skill":
        return pack_files(name, files, executables)
    return pack_files("", files, executables) if layout == "zip" else _gzipped(_tar(files, executables))


def _tar(files: Mapping[str, bytes], executables: Collection[str]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            entry.mode = 0o755 if path in executables else 0o644
            archive.addfile(entry, io.BytesIO(files[path]))
    return target.getvalue()


def _gzipped(content: bytes) -> bytes:
    """Gzip without compression: stored blocks (RFC 1951, 3.2.4), written here so that no library chooses."""
    parts = [_GZIP_HEAD]
    for start in range(0, len(content), _STORED):
        block = content[start : start + _STORED]
        is_last = start + _STORED >= len(content)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)
