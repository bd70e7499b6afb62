"""Writes cpio archives in the `newc` format, which the kernel unpacks as its first file system.

The format is the kernel's (`Documentation/driver-api/early-userspace/buffer-format.rst`). The same entries
give the same bytes.
"""

from collections.abc import Mapping
from typing import BinaryIO

from raptorflow.sandbox.drivers.microvm.image.erofs import FOLDER, Entry

MAGIC = "070701"
TRAILER = "TRAILER!!!"
ALIGNMENT = 4


def write_cpio(target: BinaryIO, entries: Mapping[str, Entry]) -> None:
    """Write an archive.

    Args:
        target: a new file.
        entries: path without a leading slash -> what stands there; folders above it are made.
    """
    whole = {**dict.fromkeys(_folders(entries), Entry(FOLDER)), **entries}
    for number, path in enumerate(sorted(whole), start=1):
        _write_entry(target, path, whole[path], number)
    _write_entry(target, TRAILER, None, 0)


def _folders(entries: Mapping[str, Entry]) -> set[str]:
    parts = [path.split("/") for path in entries]
    return {"/".join(names[:depth]) for names in parts for depth in range(1, len(names))}


def _write_entry(target: BinaryIO, path: str, entry: Entry | None, number: int) -> None:
    content = _bytes(entry) if entry else b""
    name = path.encode("utf-8", "surrogateescape") + b"\0"
    mode, links = (entry.mode, 2 if entry.kind == FOLDER else 1) if entry else (0, 1)
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    header = (MAGIC + "".join(f"{value:08x}" for value in fields)).encode("ascii")
    _write_aligned(target, header + name)
    _write_aligned(target, content)


def _write_aligned(target: BinaryIO, data: bytes) -> None:
    target.write(data + bytes(-len(data) % ALIGNMENT))


def _bytes(entry: Entry) -> bytes:
    return entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()
