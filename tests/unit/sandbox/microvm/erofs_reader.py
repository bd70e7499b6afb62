"""Reads an EROFS image as the format's description says, apart from the code that writes it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 4096
FOLDER, LINK = 0o040000, 0o120000


@dataclass(frozen=True)
class Found:
    """What stands at a path."""

    mode: int
    content: bytes


def read_erofs(image: bytes) -> dict[str, Found]:
    """Path -> what stands there, the root as the empty path."""
    magic, bits, root, blocks, inodes_at = _superblock(image)
    assert (magic, bits) == (0xE0F5E1E2, 12)
    assert len(image) == blocks * BLOCK
    return dict(_walk(image, inodes_at * BLOCK, root, ""))


def _superblock(image: bytes) -> tuple[int, int, int, int, int]:
    (magic,) = struct.unpack_from("<I", image, 1024)
    (root,) = struct.unpack_from("<H", image, 1024 + 14)
    blocks, inodes_at = struct.unpack_from("<II", image, 1024 + 36)
    return magic, image[1024 + 12], root, blocks, inodes_at


def _walk(image: bytes, table: int, number: int, path: str) -> Iterator[tuple[str, Found]]:
    layout, _, mode, _, size, _, block = struct.unpack_from("<HHHHIII", image, table + number * 32)
    assert layout == 0
    content = image[block * BLOCK : block * BLOCK + size]
    yield path, Found(mode, content)
    if mode & 0o170000 == FOLDER:
        names = list(_names(content))
        assert [name for name, _ in names] == sorted(name for name, _ in names)
        for name, child in names:
            if name not in (b".", b".."):
                below = f"{path}/{name.decode('utf-8', 'surrogateescape')}".lstrip("/")
                yield from _walk(image, table, child, below)


def _names(folder: bytes) -> Iterator[tuple[bytes, int]]:
    for start in range(0, len(folder), BLOCK):
        block = folder[start : start + BLOCK]
        (first,) = struct.unpack_from("<H", block, 8)
        entries = [struct.unpack_from("<QHBB", block, at) for at in range(0, first, 12)]
        ends = [entry[1] for entry in entries[1:]] + [len(block)]
        for (number, at, _, _), end in zip(entries, ends, strict=True):
            yield block[at:end].rstrip(b"\0"), number
