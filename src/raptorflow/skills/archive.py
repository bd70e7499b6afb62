"""Archives of skills: packed to the same bytes everywhere, unpacked within limits and never outside.

`pack` writes the `.skill` layout: a zip whose files lie below `<skill-name>/`. `unpack` also takes a zip or
tar.gz with `SKILL.md` at its root.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from raptorflow.skills.containers.entry import MIB, ArchiveLimits, Entry
from raptorflow.skills.containers.tars import GZIP_MAGIC, tar_entries
from raptorflow.skills.containers.zips import zip_entries
from raptorflow.skills.errors import ArchiveRefused, SkillInvalid
from raptorflow.skills.files import belongs, collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE
from raptorflow.skills.model import Skill
from raptorflow.skills.paths import Spellings, path_problem
from raptorflow.skills.reader import inspect_files

# The first moment a zip can name: archives must not tell when they were made.
EPOCH = (1980, 1, 1, 0, 0, 0)
REGULAR, EXECUTABLE = 0o100644, 0o100755
UNIX = 3
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
)


@dataclass(frozen=True)
class Unpacked:
    """An archive's files by path, which of them are executable, and the folder that was around them."""

    files: dict[str, bytes]
    executables: frozenset[str]
    folder_name: str | None


def pack(folder: Path) -> bytes:
    """The `.skill` archive of a valid skill; the same bytes for the same files, on every machine.

    Raises:
        SkillInvalid: the folder is no valid skill.
    """
    return read_and_pack(folder)[1]


def read_and_pack(folder: Path) -> tuple[Skill, bytes]:
    """The skill in a folder and its archive, from one reading of its files.

    Raises:
        SkillInvalid: the folder is no valid skill.
    """
    findings = Findings()
    files, executables = collect_files(folder, findings)
    skill = inspect_files(files, executables, folder.resolve().name, findings)
    if skill is None or findings.errors():
        raise SkillInvalid(findings.errors())
    return skill, pack_files(skill.name, files, executables)


def pack_files(name: str, files: Mapping[str, bytes], executables: Collection[str]) -> bytes:
    """The `.skill` archive of files in memory, below `name/`; with an empty name at the archive's root."""
    prefix = f"{name}/" if name else ""
    target = io.BytesIO()
    # Stored, not deflated: compressors differ between versions of zlib, and the digest must not.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{prefix}{path}", EPOCH)
            entry.create_system = UNIX
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
    entries = tar_entries if data.startswith(GZIP_MAGIC) else zip_entries
    collected = _Collector(limits, len(data))
    try:
        for entry in entries(data, limits):
            collected.add(entry)
    except DAMAGE as error:
        raise ArchiveRefused(f"The archive is damaged: {error}.") from error
    except (RuntimeError, MemoryError) as error:
        raise ArchiveRefused(f"The archive uses what is not supported: {error}.") from error
    return collected.finish()


class _Collector:
    """Keeps files while their count and size stay within the limits."""

    def __init__(self, limits: ArchiveLimits, archive_bytes: int) -> None:
        self._limits = limits
        self._most_bytes = min(limits.total_bytes, max(archive_bytes * limits.ratio, MIB))
        self._files: dict[str, bytes] = {}
        self._spellings = Spellings()
        self._executables: set[str] = set()
        self._total = 0

    def add(self, entry: Entry) -> None:
        """Keep a file, unless a program left it behind."""
        path = entry.path
        if problem := path_problem(path, wrapped=True):
            raise ArchiveRefused(f"The path {path[:100]!r} {problem}.")
        if other := self._spellings.clash(path):
            raise ArchiveRefused(f"The paths {path!r} and {other!r} are one on some systems.")
        self._total += len(entry.content)
        if self._total > self._most_bytes:
            raise ArchiveRefused(f"The archive unpacks to more than {self._most_bytes} bytes.")
        if not belongs(path):
            return
        if len(self._files) >= self._limits.files:
            raise ArchiveRefused(f"The archive holds more than {self._limits.files} files.")
        self._files[path] = entry.content
        if entry.executable:
            self._executables.add(path)

    def finish(self) -> Unpacked:
        """Take off the one folder around everything, if there is one."""
        roots = {path.split("/", 1)[0] for path in self._files}
        if FILE in self._files or len(roots) != 1 or roots <= self._files.keys():
            return Unpacked(self._files, frozenset(self._executables), None)
        name = roots.pop()
        prefix = f"{name}/"
        files = {path.removeprefix(prefix): content for path, content in self._files.items()}
        return Unpacked(files, frozenset(path.removeprefix(prefix) for path in self._executables), name)
