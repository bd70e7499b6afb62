"""Looking for bytes in what processes hold, from outside of them."""

import base64
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

CHUNK = 8 * 1024 * 1024
READABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")
# The kernel's own pages, which cannot be read.
UNREADABLE = ("[vvar", "[vsyscall")
Needles = Mapping[str, bytes]


def forms(value: str) -> dict[str, bytes]:
    """A value as it is, and as it may be hidden: base64 at each alignment, hexadecimal, backwards, UTF-16."""
    raw = value.encode()
    # What depends on neighbouring bytes is cut off at both ends.
    shifted = {
        f"base64-{shift}": base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)
    }
    return {
        "raw": raw,
        "hex": raw.hex().encode(),
        "backwards": raw[::-1],
        "utf-16": value.encode("utf-16-le"),
        **shifted,
    }


def in_process(pid: int, needles: Needles) -> set[str]:
    """Which of them stand in its memory, its variables or its arguments."""
    found: set[str] = set()
    with suppress(OSError):
        for name in ("environ", "cmdline"):
            found |= _in(Path(f"/proc/{pid}/{name}").read_bytes(), needles)
        maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        try:
            for line in maps:
                found |= _in_region(memory, line, needles)
        finally:
            os.close(memory)
    return found


def in_files(folders: Iterable[Path], needles: Needles) -> dict[str, set[str]]:
    """Path -> what stands in the file, of regular files below these folders."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in (Path(top, name) for top, _, names in os.walk(folder) for name in names):
            with suppress(OSError):
                if path.is_file() and not path.is_symlink() and (hits := _in_file(path, needles)):
                    found[str(path)] = hits
    return found


def _in_file(path: Path, needles: Needles) -> set[str]:
    found: set[str] = set()
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found |= _in(end + chunk, needles)
            end = chunk[-_longest(needles) :]
    return found


def _in_region(memory: int, line: str, needles: Needles) -> set[str]:
    region = READABLE.match(line)
    if region is None or any(name in line for name in UNREADABLE):
        return set()
    at, end = (int(part, 16) for part in region.groups())
    found: set[str] = set()
    while at < end:
        try:
            part = os.pread(memory, min(CHUNK, end - at), at)
        except (OSError, OverflowError):
            break
        if not part:
            break
        found |= _in(part, needles)
        at += len(part) if at + len(part) >= end else max(1, len(part) - _longest(needles))
    return found


def _longest(needles: Needles) -> int:
    return max(map(len, needles.values()))


def _in(content: bytes, needles: Needles) -> set[str]:
    return {name for name, needle in needles.items() if needle in content}
