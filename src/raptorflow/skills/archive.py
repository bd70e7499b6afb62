"""Archives of skills: packed to the same bytes everywhere, unpacked within limits and never outside.

`pack` writes the `.skill` layout: a zip whose files lie below `<skill-name>/`. `unpack` also takes a zip or
tar.gz with `SKILL.md` at its root.
"""

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from raptorflow.skills.errors import ArchiveRefused, SkillInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE
from raptorflow.skills.reader import collect_files, inspect_files

# The first moment a zip can name: archives must not tell when they were made.
EPOCH = (1980, 1, 1, 0, 0, 0)
REGULAR, EXECUTABLE = 0o100644, 0o100755
GZIP_MAGIC = b"\x1f\x8b"
MIB = 1024 * 1024
MAX_PATH = 240
MAX_DEPTH = 16


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold, in bytes and counts."""

    archive_bytes: int = 50 * MIB
    file_bytes: int = 10 * MIB
    total_bytes: int = 50 * MIB
    files: int = 1000


@dataclass(frozen=True)
class Unpacked:
    """An archive's files by path, and which of them are executable."""

    files: dict[str, bytes]
    executables: frozenset[str]
    folder_name: str | None


def pack(folder: Path) -> bytes:
    """The `.skill` archive of a valid skill; the same bytes for the same files, on every machine.

    Raises:
        SkillInvalid: the folder is no valid skill.
    """
    findings = Findings()
    files, executables = collect_files(folder, findings)
    skill = inspect_files(files, executables, folder.resolve().name, findings)
    if skill is None or findings.errors():
        raise SkillInvalid(findings.errors())
    return pack_files(skill.name, files, executables)


def pack_files(name: str, files: Mapping[str, bytes], executables: Collection[str]) -> bytes:
    """The `.skill` archive of files in memory, below `name/`."""
    target = io.BytesIO()
    # Stored, not deflated: compressors differ between versions of zlib, and the digest must not.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{name}/{path}", EPOCH)
            entry.create_system = 3
            entry.external_attr = (EXECUTABLE if path in executables else REGULAR) << 16
            archive.writestr(entry, files[path])
    return target.getvalue()


def unpack(data: bytes, limits: ArchiveLimits | None = None) -> Unpacked:
    """Read an archive into memory.

    Raises:
        ArchiveRefused: it is damaged, passes a limit, holds anything but regular files, or names a path
            that is absolute, climbs, is doubled or differs from another only by case.
    """
    limits = limits or ArchiveLimits()
    if len(data) > limits.archive_bytes:
        raise ArchiveRefused(f"The archive has {len(data)} bytes; {limits.archive_bytes} are the limit.")
    reader = _tar_entries if data.startswith(GZIP_MAGIC) else _zip_entries
    collected = _Collector(limits)
    try:
        for path, executable, content in reader(data, limits):
            collected.add(path, executable, content)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        TypeError,
        LookupError,
    ) as error:
        raise ArchiveRefused(f"The archive is damaged: {error}.") from error
    except (RuntimeError, MemoryError) as error:
        raise ArchiveRefused(f"The archive uses what is not supported: {error}.") from error
    return collected.finish()


def checked_path(path: str) -> str:
    """The path as it may be written below a skill's folder.

    Raises:
        ArchiveRefused: it is absolute, climbs, or could mean something else on another system.
    """
    parts = PurePosixPath(path).parts
    climbs = any(part in {"..", "."} for part in path.split("/"))
    if not parts or path.startswith("/") or climbs or len(parts) > MAX_DEPTH or len(path) > MAX_PATH:
        raise ArchiveRefused(f"The path {path!r} leads outside, nowhere or too deep.")
    odd = any(ord(character) < ord(" ") or character in '\\:*?"<>|\x7f' for character in path)
    if odd or any(part.strip(" .") != part.rstrip(" .") or part.endswith((" ", ".")) for part in parts):
        raise ArchiveRefused(f"The path {path!r} has characters that not every system can store.")
    return "/".join(parts)


class _Collector:
    """Keeps files while their count and size stay within the limits."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files: dict[str, bytes] = {}
        self._folded: set[str] = set()
        self._executables: set[str] = set()
        self._total = 0

    def add(self, path: str, executable: bool, content: bytes) -> None:
        path = checked_path(path)
        if path.casefold() in self._folded:
            raise ArchiveRefused(f"The path {path!r} is there twice.")
        self._total += len(content)
        if len(self._files) >= self._limits.files or self._total > self._limits.total_bytes:
            raise ArchiveRefused(
                f"The archive holds more than {self._limits.files} files or {self._limits.total_bytes} bytes."
            )
        self._folded.add(path.casefold())
        self._files[path] = content
        if executable:
            self._executables.add(path)

    def finish(self) -> Unpacked:
        """Take off the one folder around everything, if there is one."""
        roots = {path.split("/", 1)[0] for path in self._files}
        if FILE in self._files or len(roots) != 1:
            return Unpacked(self._files, frozenset(self._executables), None)
        name = roots.pop()
        prefix = f"{name}/"
        files = {path.removeprefix(prefix): content for path, content in self._files.items()}
        return Unpacked(files, frozenset(path.removeprefix(prefix) for path in self._executables), name)


def _zip_entries(data: bytes, limits: ArchiveLimits) -> Iterator[tuple[str, bool, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if entry.is_dir():
                continue
            if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
                raise ArchiveRefused(f"{entry.filename!r} is no regular file.")
            if entry.flag_bits & 1:
                raise ArchiveRefused(f"{entry.filename!r} is encrypted.")
            with archive.open(entry) as file:
                yield entry.filename, bool(mode & 0o100), _read(file, entry.filename, limits)


def _tar_entries(data: bytes, limits: ArchiveLimits) -> Iterator[tuple[str, bool, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            file = archive.extractfile(entry) if entry.isfile() and not entry.issparse() else None
            if file is None:
                raise ArchiveRefused(f"{entry.name!r} is no regular file.")
            yield entry.name.removeprefix("./"), bool(entry.mode & 0o100), _read(file, entry.name, limits)


def _read(file: IO[bytes], name: str, limits: ArchiveLimits) -> bytes:
    """Read at most one byte over the limit: what an entry says of its own size is not believed."""
    content = file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise ArchiveRefused(f"{name!r} has more than {limits.file_bytes} bytes.")
    return content
