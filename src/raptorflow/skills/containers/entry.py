"""What both kinds of archive have in common: entries, and limits that hold whatever a header claims."""

from dataclasses import dataclass
from typing import NamedTuple

MIB = 1024 * 1024
# Folders are entries too; more of them than this for each file is no skill.
ENTRIES_PER_FILE = 4


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes:
        archive_bytes: of the archive itself.
        file_bytes: of one file, unpacked.
        total_bytes: of all files, unpacked.
        files: how many files.
        ratio: how many times its own size it may unpack to, once that is over a mebibyte.
    """

    archive_bytes: int = 50 * MIB
    file_bytes: int = 10 * MIB
    total_bytes: int = 50 * MIB
    files: int = 1000
    ratio: int = 200

    @property
    def entries(self) -> int:
        """How many entries, folders included."""
        return self.files * ENTRIES_PER_FILE


class Entry(NamedTuple):
    """A file of an archive."""

    path: str
    executable: bool
    content: bytes
