"""Host folders as read-only disks: packed once for each content, and told apart by labels.

A disk's label is the beginning of its digest, so a guest finds its disks whatever the order of its devices.
Which content a folder has is known without reading it again, by the names, sizes and change times of its
files.
"""

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.image.erofs import (
    FILE,
    FOLDER,
    LABEL_AT,
    LABEL_LETTERS,
    LINK,
    Entry,
    TooLargeForImage,
    write_erofs,
)
from raptorflow.sandbox.drivers.microvm.image.manifest import file_digest
from raptorflow.sandbox.errors import SandboxUnavailable

CONTENT = "content"
SUFFIX, DRAFT = ".erofs", ".draft"
# Longer than a start takes, with the packing of all its folders.
RECENT_SECONDS = 600.0
READABLE, PRIVATE = 0o644, 0o700


@dataclass(frozen=True)
class Disk:
    """A file system in a file.

    Attributes:
        label: by which a guest finds it.
        file: on the host.
        kind: whether its root is the folder, or its one file, `content`, is what was packed.
    """

    label: str
    file: Path
    kind: str = "folder"


class Disks:
    """The disks that were packed so far.

    Args:
        folder: where they are kept.
        most_bytes: how much they may take together; those used in the last ten minutes stay all the same.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes

    def pack(self, source: Path) -> Disk:
        """The disk of a folder's or a file's content.

        Raises:
            SandboxUnavailable: it cannot be read, changed meanwhile, or does not fit into the format.
        """
        try:
            entries = dict(_entries(source))
            kind = "folder" if source.is_dir() else "file"
            return self._kept(_key(entries, source), kind) or self._packed(entries, source, kind)
        except (OSError, TooLargeForImage) as error:
            raise SandboxUnavailable(f"{source} cannot be shown to a guest: {error}") from error

    def of_text(self, name: str, text: str, label: str) -> Disk:
        """A disk with one small file, under a label of its own."""
        self._folder.mkdir(PRIVATE, parents=True, exist_ok=True)
        digest = hashlib.sha256(f"{label}\0{name}\0{text}".encode()).hexdigest()
        target = self._folder / f"{label}-{digest[:LABEL_LETTERS]}{SUFFIX}"
        try:
            os.utime(target)
        except FileNotFoundError:
            self._write({name: Entry.of_bytes(text.encode("utf-8", "surrogateescape"))}, label, target)
            self._prune()
        return Disk(label, target)

    def _kept(self, key: str, kind: str) -> Disk | None:
        try:
            label = (self._folder / key).read_text()
            disk = Disk(label, self._folder / (label + SUFFIX), kind)
            os.utime(disk.file)
            os.utime(self._folder / key)
        except OSError:
            return None
        return disk

    def _packed(self, entries: dict[str, Entry], source: Path, kind: str) -> Disk:
        self._folder.mkdir(PRIVATE, parents=True, exist_ok=True)
        label = self._write(entries, "", None)
        if dict(_entries(source)) != entries:
            raise OSError("it changed while it was read")
        (self._folder / _key(entries, source)).write_text(label)
        self._prune()
        return Disk(label, self._folder / (label + SUFFIX), kind)

    def _write(self, entries: dict[str, Entry], label: str, target: Path | None) -> str:
        """Write a disk in one step; its label, which is made from its content when none is given."""
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=DRAFT)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write_erofs(file, entries, label)
            if not label:
                label = file_digest(draft)[:LABEL_LETTERS]
                with draft.open("r+b") as file:
                    file.seek(LABEL_AT)
                    file.write(label.encode("ascii"))
            draft.chmod(READABLE)
            draft.replace(target or self._folder / (label + SUFFIX))
        finally:
            draft.unlink(missing_ok=True)
        return label

    def _prune(self) -> None:
        """Remove what was used least recently, and drafts that nobody writes to any more.

        A machine keeps its disks open, or in its jail: only from being asked for until then must one stay.
        """
        recent, used = time.time() - RECENT_SECONDS, 0
        for changed, size, file in sorted(_files(self._folder), reverse=True):
            used += size
            if changed < recent and (used > self._most or file.suffix == DRAFT):
                file.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was last used, how large it is; others may remove some meanwhile."""
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            facts = file.stat()
            yield facts.st_mtime, facts.st_size, file


def _entries(source: Path) -> Iterator[tuple[str, Entry]]:
    if not source.is_dir():
        yield CONTENT, _entry(source)
        return
    for folder, folders, files in os.walk(source, onerror=_raise):
        for name in (*folders, *files):
            path = Path(folder) / name
            yield str(path.relative_to(source)), _entry(path)


def _entry(path: Path) -> Entry:
    facts = path.lstat()
    if stat.S_ISLNK(facts.st_mode):
        target = os.fsencode(path.readlink())
        return Entry(LINK, target, len(target))
    if stat.S_ISDIR(facts.st_mode):
        return Entry(FOLDER)
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(f"{path} is neither a file, a folder nor a link")
    return Entry(FILE, path, facts.st_size, executable=bool(facts.st_mode & 0o111))


def _key(entries: dict[str, Entry], source: Path) -> str:
    """Changes with every change of a file: no program can set the time of its last change."""
    digest = hashlib.sha256(os.fsencode(source))
    for path in sorted(entries):
        entry = entries[path]
        digest.update(
            f"\0{path}\0{entry.kind}\0{entry.size}\0{entry.executable}".encode(errors="surrogateescape")
        )
        if isinstance(entry.content, Path):
            facts = entry.content.lstat()
            digest.update(f"\0{facts.st_ino}\0{facts.st_mtime_ns}\0{facts.st_ctime_ns}".encode())
        else:
            digest.update(b"\0" + entry.content)
    return digest.hexdigest()


def _raise(error: OSError) -> None:
    raise error
