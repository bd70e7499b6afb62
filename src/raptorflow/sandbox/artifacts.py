"""Taking files out of a workspace whose processes are all dead, trusting nothing that lies in it.

The workspace is reached through one open folder. Every step below it is opened relative to the step above,
without following links, so nothing outside can be named; only regular files are read.
"""

import errno
import hashlib
import mimetypes
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.sandbox.result import Artifact
from raptorflow.sandbox.settings import SandboxSettings

OUT = "out"
COPY_BYTES = 1024 * 1024
MAX_DEPTH = 8
MAX_ENTRIES = 10_000
MAX_NAME = 200
MAX_REFUSALS = 50
KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass
class Collected:
    """Artefacts, and what was left behind with the reason."""

    artifacts: list[Artifact] = field(default_factory=list[Artifact])
    refused: list[str] = field(default_factory=list[str])

    def refuse(self, name: str, reason: str) -> None:
        """Note what is not taken; a flood of refusals is cut."""
        if len(self.refused) < MAX_REFUSALS:
            self.refused.append(f"{name!r}: {reason}")


@dataclass
class _Budget:
    files: int
    bytes: int
    bytes_each: int
    entries: int = MAX_ENTRIES


def collect(workspace: int, target: Path, settings: SandboxSettings) -> Collected:
    """Copy the regular files below `out` in the workspace to a host folder.

    Args:
        workspace: an open folder.
        target: made when missing; files that exist there are never overwritten.
        settings: how many files, and how many bytes each and in all (a sparse file counts with its length).
    """
    found = Collected()
    try:
        out = os.open(OUT, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=workspace)
    except OSError as error:
        if error.errno != errno.ENOENT:
            found.refuse(OUT, "is no folder any more")
        return found
    try:
        target.mkdir(parents=True, exist_ok=True)
        budget = _Budget(settings.max_artifacts, settings.max_artifacts_bytes, settings.max_artifact_bytes)
        _Collector(target, os.fstat(out).st_dev, budget, found).folder(out, ())
    finally:
        os.close(out)
    return found


def safe_part(name: str) -> str:
    """One part of a path as a harmless file name: printable, short, no leading dash or dot."""
    clean = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name)
    # The end is kept: it has the suffix. Cutting may leave a part of a character, which is dropped.
    end = clean.encode("utf-8", "replace")[-MAX_NAME:].decode(errors="ignore")
    return end.lstrip(".- ") or "_"


class _Collector:
    def __init__(self, target: Path, device: int, budget: _Budget, found: Collected) -> None:
        self._target = target
        self._device = device
        self._budget = budget
        self._found = found
        self._taken: set[str] = set()

    def folder(self, opened: int, parts: tuple[str, ...]) -> None:
        for name in self._names(opened):
            shown = "/".join((*parts, name))
            try:
                self._entry(opened, name, (*parts, name))
            except OSError as error:
                self._found.refuse(shown, os.strerror(error.errno or 0).lower())

    def _names(self, opened: int) -> Iterator[str]:
        """Sorted names, of not more entries than are worth looking at."""
        names: list[str] = []
        with os.scandir(opened) as entries:
            for entry in entries:
                if self._budget.entries <= 0:
                    self._found.refuse(
                        OUT, f"holds more than {MAX_ENTRIES} entries; the rest was not looked at"
                    )
                    break
                self._budget.entries -= 1
                names.append(entry.name)
        return iter(sorted(names))

    def _entry(self, folder: int, name: str, parts: tuple[str, ...]) -> None:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        shown = "/".join(parts)
        if stat.S_ISDIR(mode):
            self._subfolder(folder, name, parts)
        elif stat.S_ISREG(mode):
            self._file(folder, name, parts)
        else:
            self._found.refuse(shown, f"is {KINDS.get(stat.S_IFMT(mode), 'no regular file')}")

    def _subfolder(self, folder: int, name: str, parts: tuple[str, ...]) -> None:
        if len(parts) >= MAX_DEPTH:
            self._found.refuse("/".join(parts), f"lies deeper than {MAX_DEPTH} folders")
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(name, flags, dir_fd=folder)
        try:
            self.folder(opened, parts)
        finally:
            os.close(opened)

    def _file(self, folder: int, name: str, parts: tuple[str, ...]) -> None:
        shown = "/".join(parts)
        # Non-blocking: should it not be a regular file after all, opening must not wait for a partner.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        opened = os.open(name, flags, dir_fd=folder)
        with os.fdopen(opened, "rb", buffering=0):
            facts = os.fstat(opened)
            if not stat.S_ISREG(facts.st_mode) or facts.st_dev != self._device:
                self._found.refuse(shown, "is no regular file")
            elif self._budget.files <= 0:
                self._found.refuse(shown, "there are too many files")
            elif facts.st_size > min(self._budget.bytes, self._budget.bytes_each):
                self._found.refuse(shown, f"its {facts.st_size} bytes are more than may still be taken")
            else:
                self._budget.files -= 1
                self._budget.bytes -= facts.st_size
                self._copy(opened, parts, facts.st_size)

    def _copy(self, source: int, parts: tuple[str, ...], size: int) -> None:
        name = self._unused("/".join(safe_part(part) for part in parts))
        path = self._target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        left = size
        with path.open("xb") as copy:
            while left and (chunk := os.read(source, min(COPY_BYTES, left))):
                digest.update(chunk)
                copy.write(chunk)
                left -= len(chunk)
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._found.artifacts.append(Artifact(name, path, size - left, digest.hexdigest(), media_type))

    def _unused(self, name: str) -> str:
        """The name, or with a number before its suffix when it is taken (also in another case)."""
        path = Path(name)
        number = 1
        while name.casefold() in self._taken or (self._target / name).exists():
            number += 1
            name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        self._taken.add(name.casefold())
        return name
