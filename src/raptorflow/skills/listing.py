"""The files of a skill by their digests: enough to know the digest of its tree, and which files differ."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from raptorflow.skills.digest import digest_of_digests, file_digest
from raptorflow.skills.text import printable

Change = Literal["missing", "added", "changed", "executable", "not-executable"]
WORDS: Mapping[Change, str] = {
    "missing": "is missing",
    "added": "was added",
    "changed": "was changed",
    "executable": "was made executable",
    "not-executable": "was made not executable",
}


@dataclass(frozen=True)
class Difference:
    """One file that is not as it should be."""

    path: str
    change: Change

    def __str__(self) -> str:
        return f"{printable(self.path)} {WORDS[self.change]}"


@dataclass(frozen=True)
class Listing:
    """A tree without its content.

    Attributes:
        files: the hex SHA-256 of each file, by path.
        executables: the paths that are executable.
    """

    files: Mapping[str, str]
    executables: frozenset[str]

    @classmethod
    def of(cls, files: Mapping[str, bytes], executables: Collection[str]) -> "Listing":
        """The listing of files at hand."""
        return cls({path: file_digest(content) for path, content in files.items()}, frozenset(executables))

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, bool]]) -> "Listing":
        """From each file's path, SHA-256, and whether it is executable."""
        listed = list(rows)
        files = {path: digest for path, digest, _ in listed}
        return cls(files, frozenset(path for path, _, executable in listed if executable))

    def digest(self) -> str:
        """The digest of the tree."""
        return digest_of_digests(self.files, self.executables)

    def differences(self, there: "Listing") -> list[Difference]:
        """How another tree differs from this one: what it lacks, what it has beside, what is not the same."""
        missing = sorted(self.files.keys() - there.files.keys())
        added = sorted(there.files.keys() - self.files.keys())
        found = [Difference(path, "missing") for path in missing]
        found += [Difference(path, "added") for path in added]
        for path in sorted(self.files.keys() & there.files.keys()):
            if self.files[path] != there.files[path]:
                found.append(Difference(path, "changed"))
            elif (path in there.executables) != (path in self.executables):
                made: Change = "executable" if path in there.executables else "not-executable"
                found.append(Difference(path, made))
        return found
