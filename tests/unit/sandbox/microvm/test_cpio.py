"""The archive that the kernel unpacks first."""

import io

from raptorflow.sandbox.drivers.microvm.image.cpio import write_cpio
from raptorflow.sandbox.drivers.microvm.image.erofs import LINK, Entry


def archive(entries: dict[str, Entry]) -> bytes:
    target = io.BytesIO()
    write_cpio(target, entries)
    return target.getvalue()


def read(packed: bytes) -> list[tuple[str, int, bytes]]:
    """Name, mode and content of each entry."""
    found: list[tuple[str, int, bytes]] = []
    at = 0
    while True:
        assert packed[at : at + 6] == b"070701"
        fields = [int(packed[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        name = packed[at + 110 : at + 110 + name_size - 1].decode()
        at += 110 + name_size + -(110 + name_size) % 4
        if name == "TRAILER!!!":
            return found
        found.append((name, fields[1], packed[at : at + size]))
        at += size + -size % 4


def test_folders_come_before_what_is_in_them() -> None:
    packed = archive(
        {"usr/bin/x": Entry.of_bytes(b"run", executable=True), "lib": Entry(LINK, b"usr/lib", 7)}
    )
    assert read(packed) == [
        ("lib", 0o120777, b"usr/lib"),
        ("usr", 0o040555, b""),
        ("usr/bin", 0o040555, b""),
        ("usr/bin/x", 0o100555, b"run"),
    ]


def test_the_order_of_the_host_does_not_matter() -> None:
    entries = {name: Entry.of_bytes(name.encode()) for name in ("b", "a/c", "a/b")}
    assert archive(entries) == archive(dict(reversed(list(entries.items()))))
