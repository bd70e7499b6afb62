"""Writes EROFS images: read-only file systems that hold bytes, names and two modes, and nothing of the host.

The layout is the kernel's (`fs/erofs/erofs_fs.h`, stable since Linux 5.4): a superblock at byte 1024, an
array of 32-byte inodes, directories as sorted blocks of entries, and each file's content in whole blocks,
unpacked. The same entries give the same bytes: no time, owner, or order of the host's folder goes in. No tool
and no privilege is needed, and what is neither file, folder nor link cannot be written at all.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

BLOCK = 4096
MAGIC = 0xE0F5E1E2
SUPERBLOCK_AT = 1024
LABEL_AT = SUPERBLOCK_AT + 64
LABEL_BYTES = 16
LABEL_LETTERS = LABEL_BYTES - 1
INODE = struct.Struct("<HHHHIIIIHHI")
ENTRY = struct.Struct("<QHBB")
INODES_AT_BLOCK = 1
FILE, FOLDER, LINK = 1, 2, 7
FORMATS = {FILE: 0o100000, FOLDER: 0o040000, LINK: 0o120000}
MOST_BYTES = 0xFFFFFFFF
COPY_BYTES = 1024 * 1024


class TooLargeForImage(ValueError):
    """A file has 4 GiB or more, or a name is longer than 255 bytes."""


@dataclass(frozen=True)
class Entry:
    """What stands at one path.

    Attributes:
        kind: FILE, FOLDER or LINK.
        content: a file's bytes or where they lie on the host; a link's target; nothing for a folder.
        size: of the content, in bytes.
        executable: whether a file may be run.
    """

    kind: int
    content: bytes | Path = b""
    size: int = 0
    executable: bool = False

    @classmethod
    def of_bytes(cls, content: bytes, *, executable: bool = False) -> "Entry":
        """A file with this content."""
        return cls(FILE, content, len(content), executable)

    @property
    def mode(self) -> int:
        """Everything is readable by all and writable by none."""
        rights = 0o777 if self.kind == LINK else 0o555 if self.executable or self.kind == FOLDER else 0o444
        return FORMATS[self.kind] | rights


@dataclass
class _Node:
    entry: Entry
    number: int = 0
    parent: "_Node | None" = None
    children: dict[bytes, "_Node"] = field(default_factory=dict["bytes", "_Node"])
    size: int = 0
    block: int = 0

    @property
    def links(self) -> int:
        folders = sum(1 for child in self.children.values() if child.entry.kind == FOLDER)
        return min(2 + folders, 0xFFFF) if self.entry.kind == FOLDER else 1

    @property
    def blocks(self) -> int:
        return -(-self.size // BLOCK)


def write_erofs(target: BinaryIO, entries: Mapping[str, Entry], label: str) -> None:
    """Write an image.

    Args:
        target: a new file.
        entries: path without a leading slash -> what stands there; folders above it are made.
        label: at most 15 ASCII letters (the kernel wants an end behind them) by which the image is known.

    Raises:
        TooLargeForImage: something does not fit into the format.
        OSError: a file cannot be read, or has another size than its entry says.
    """
    nodes = _numbered(entries)
    first = INODES_AT_BLOCK + -(-len(nodes) * INODE.size // BLOCK)
    blocks = _placed(nodes, first)
    target.write(_superblock(len(nodes), blocks, label))
    table = b"".join(_inode(node) for node in nodes)
    target.write(table.ljust((first - INODES_AT_BLOCK) * BLOCK, b"\0"))
    for node in nodes:
        _write_content(target, node)


def label_of(image: Path) -> str:
    """The label of an image."""
    with image.open("rb") as file:
        file.seek(LABEL_AT)
        return file.read(LABEL_BYTES).rstrip(b"\0").decode("ascii")


def _numbered(entries: Mapping[str, Entry]) -> list[_Node]:
    """The tree in the order of its inodes, the root first: its number has only 16 bits in the superblock."""
    root = _Node(Entry(FOLDER))
    for path in sorted(entries):
        _insert(root, path, entries[path])
    nodes = list(_walk(root))
    for number, node in enumerate(nodes):
        node.number = number
    return nodes


def _insert(root: _Node, path: str, entry: Entry) -> None:
    if entry.size > MOST_BYTES:
        raise TooLargeForImage(f"{path} has {entry.size} bytes, and a file may have 4 GiB.")
    node = root
    parts = [part.encode("utf-8", "surrogateescape") for part in path.split("/")]
    for at, part in enumerate(parts):
        if not 0 < len(part) <= 255:
            raise TooLargeForImage(f"{path!r} has a part of {len(part)} bytes, and 1 to 255 fit.")
        here = entry if at == len(parts) - 1 else Entry(FOLDER)
        node = node.children.setdefault(part, _Node(here, parent=node))


def _walk(root: _Node) -> Iterator[_Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [node.children[name] for name in sorted(node.children, reverse=True)]


def _placed(nodes: list[_Node], at: int) -> int:
    """Give each content its first block; the number of all blocks."""
    for node in nodes:
        node.size = len(_folder(node)) if node.entry.kind == FOLDER else node.entry.size
        node.block = at
        at += node.blocks
    return at


def _superblock(inodes: int, blocks: int, label: str) -> bytes:
    head = struct.pack(
        "<IIIBBHQQIIII16s16sI",
        *(MAGIC, 0, 0, BLOCK.bit_length() - 1, 0, 0),
        *(inodes, 0, 0, blocks, INODES_AT_BLOCK, 0),
        *(bytes(16), label.encode("ascii").ljust(LABEL_BYTES, b"\0"), 0),
    )
    return (bytes(SUPERBLOCK_AT) + head).ljust(BLOCK, b"\0")


def _inode(node: _Node) -> bytes:
    start = node.block if node.size else 0
    return INODE.pack(0, 0, node.entry.mode, node.links, node.size, 0, start, node.number + 1, 0, 0, 0)


def _folder(node: _Node) -> bytes:
    """A folder's blocks: in each, entries in front and their names behind; names are sorted throughout."""
    named = {b".": node, b"..": node.parent or node, **node.children}
    names = sorted(named)
    blocks: list[bytes] = []
    while names:
        count, used = 0, 0
        while count < len(names) and used + ENTRY.size + len(names[count]) <= BLOCK:
            used += ENTRY.size + len(names[count])
            count += 1
        blocks.append(_folder_block([(name, named[name]) for name in names[:count]]))
        del names[:count]
    return b"".join(block.ljust(BLOCK, b"\0") for block in blocks[:-1]) + blocks[-1]


def _folder_block(named: list[tuple[bytes, _Node]]) -> bytes:
    at = len(named) * ENTRY.size
    entries: list[bytes] = []
    for name, node in named:
        entries.append(ENTRY.pack(node.number, at, node.entry.kind, 0))
        at += len(name)
    return b"".join(entries) + b"".join(name for name, _ in named)


def _write_content(target: BinaryIO, node: _Node) -> None:
    if node.entry.kind == FOLDER:
        written = target.write(_folder(node))
    elif isinstance(node.entry.content, bytes):
        written = target.write(node.entry.content)
    else:
        written = _copy(node.entry.content, target, node.size)
    if written != node.size:
        raise OSError(f"{node.entry.content!r} changed while it was read: {written} bytes of {node.size}")
    target.write(bytes(-written % BLOCK))


def _copy(source: Path, target: BinaryIO, size: int) -> int:
    copied = 0
    with source.open("rb") as file:
        while chunk := file.read(min(COPY_BYTES, size + 1 - copied)):
            copied += target.write(chunk)
    return copied
