"""An export: skills in one zip with an index of their digests; the same skills, the same bytes."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from raptorflow.base.json import canonical, loads
from raptorflow.skills.archive import DAMAGE, pack_files, unpack
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.locking.project import REFERENCE

INDEX = "index.json"
FORMAT = 1
MAX_INDEX = 16 * MIB
MAX_SKILLS = 10_000
MAX_ARCHIVE = 60 * MIB


@dataclass(frozen=True)
class Exported:
    """A version of a skill, with its archive."""

    name: str
    version: str
    digest: str
    archive: bytes


def write_export(skills: Iterable[Exported]) -> bytes:
    """The file; each skill comes after those that it builds on, as it was given."""
    listed = list(skills)
    index = {
        "format": FORMAT,
        "skills": [
            {"name": each.name, "version": each.version, "digest": each.digest, "archive": _place(number)}
            for number, each in enumerate(listed)
        ],
    }
    files = {INDEX: canonical(index)} | {_place(number): each.archive for number, each in enumerate(listed)}
    return pack_files("", files, ())


def is_export(content: bytes) -> bool:
    """Whether a file looks like an export."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return INDEX in archive.namelist()
    except DAMAGE:
        return False


def read_export(content: bytes) -> list[Exported]:
    """Every skill of an export, each compared with its digest.

    Raises:
        ArchiveRefused: it is none, or holds something else than its index says.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            index = as_mapping(loads(_member(archive, INDEX, MAX_INDEX))) or {}
            if index.get("format") != FORMAT:
                raise ArchiveRefused(f"The export has the format {index.get('format')!r}, and not {FORMAT}.")
            entries = (as_list(index.get("skills")) or [])[:MAX_SKILLS]
            return [_read(archive, as_mapping(entry) or {}) for entry in entries]
    except DAMAGE as error:
        raise ArchiveRefused(f"The export is damaged: {error}.") from error


def _read(archive: zipfile.ZipFile, entry: dict[str, object]) -> Exported:
    name, version, digest = (str(entry.get(key)) for key in ("name", "version", "digest"))
    if not REFERENCE.fullmatch(name):
        raise ArchiveRefused(f"The export's index has the name {name[:80]!r}, which is none.")
    content = _member(archive, str(entry.get("archive")), MAX_ARCHIVE)
    unpacked = unpack(content)
    if tree_digest(unpacked.files, unpacked.executables) != digest:
        raise ArchiveRefused(f"{name} {version} is not what the export's index says.")
    return Exported(name, version, digest, content)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ArchiveRefused(f"{name} of the export has over {most} bytes.")
    return content


def _place(number: int) -> str:
    return f"skills/{number:05}.skill"
