"""An export: skills in one zip with an index of their digests; the same skills, the same bytes."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semver import Version

from raptorflow.base.json import canonical, loads
from raptorflow.skills.archive import DAMAGE, pack_files, unpack
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.manifest.document import REFERENCE
from raptorflow.skills.text import shown

INDEX = "index.json"
FORMAT = 1
MAX_INDEX = 16 * MIB
MAX_SKILLS = 10_000
MAX_ARCHIVE = 60 * MIB
MAX_VERSION = 100
# The flag of an encrypted file in a zip.
ENCRYPTED = 1


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
    except (*DAMAGE, RuntimeError):
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
                raise ArchiveRefused(f"The export has the format {shown(index.get('format'))}, not {FORMAT}.")
            entries = [as_mapping(entry) or {} for entry in as_list(index.get("skills")) or []]
            _refuse_repeated(entries)
            return [_read(archive, entry) for entry in entries]
    except DAMAGE as error:
        raise ArchiveRefused(f"The export is damaged: {error}.") from error
    except RuntimeError as error:
        raise ArchiveRefused(f"The export uses what is not supported: {error}.") from error


def _read(archive: zipfile.ZipFile, entry: dict[str, object]) -> Exported:
    name, version, digest = (str(entry.get(key)) for key in ("name", "version", "digest"))
    if not REFERENCE.fullmatch(name):
        raise ArchiveRefused(f"The export's index has the name {name[:80]!r}, which is none.")
    if len(version) > MAX_VERSION or not Version.is_valid(version):
        raise ArchiveRefused(f"The export's index has the version {shown(version)}, which is none.")
    content = _member(archive, str(entry.get("archive")), MAX_ARCHIVE)
    unpacked = unpack(content)
    if tree_digest(unpacked.files, unpacked.executables) != digest:
        raise ArchiveRefused(f"{name} {version} is not what the export's index says.")
    return Exported(name, version, digest, content)


def _refuse_repeated(entries: Sequence[dict[str, object]]) -> None:
    """An archive that is named a thousand times would be held a thousand times."""
    if len(entries) > MAX_SKILLS:
        raise ArchiveRefused(f"The export has {len(entries)} skills; {MAX_SKILLS} are the limit.")
    if len({str(entry.get("archive")) for entry in entries}) != len(entries):
        raise ArchiveRefused("The export's index names an archive twice.")


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of the export, stored as `write_export` does: what it costs is then on the disk already."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ENCRYPTED:
        raise ArchiveRefused(f"{shown(name)} of the export is compressed or encrypted.")
    with archive.open(entry) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ArchiveRefused(f"{shown(name)} of the export has over {most} bytes.")
    return content


def _place(number: int) -> str:
    return f"skills/{number:05}.skill"
