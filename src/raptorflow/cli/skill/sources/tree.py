"""A commit's tree: the files of it that may belong to a skill, written into a folder."""

import os
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from itertools import accumulate
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from raptorflow.cli.skill.sources.errors import SourceUnreachable
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.files import MAX_FILE_BYTES, belongs
from raptorflow.skills.frontmatter import FILE as SKILL_MD
from raptorflow.skills.sources.basket import MAX_BYTES, MAX_SKILLS
from raptorflow.skills.sources.errors import SourceInvalid, SourceTooLarge
from raptorflow.skills.sources.marketplace import PLACES, PLUGIN_FILE
from raptorflow.skills.text import shown

# A few trees inside each other can list more files than any disk holds.
MAX_LISTING = 64 * MIB
# Far more folders than any skill has around its files and in it.
MAX_PARTS = 64
LINK, EXECUTABLE = "120000", "100755"
KINDS = {"100644", "100664", EXECUTABLE, LINK}


class Git(Protocol):
    """Starts git on a store."""

    def start(
        self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL
    ) -> AbstractContextManager[IO[bytes]]:
        """A command of git, whose output is to be read; it is over when it is left, or its time is."""
        ...


class Blob(NamedTuple):
    """A file of a tree."""

    path: str
    mode: str
    name: str
    size: int


def write_tree(git: Git, tree: str, folder: Path) -> None:
    """Write what may belong to a skill, or says which folders are some.

    Args:
        git: on a store that has the commit.
        tree: `commit:folder`.
        folder: is made.

    Raises:
        SourceTooLarge: it holds too much.
        SourceInvalid: a path of it cannot be written.
        SourceUnreachable: git takes too long over it.
    """
    blobs = list(_wanted(_listed(git, tree)))
    # A larger file is refused with its skill, unread: a hole of its size is enough.
    read = [blob for blob in blobs if blob.size <= MAX_FILE_BYTES]
    if sum(blob.size for blob in read) > MAX_BYTES:
        raise SourceTooLarge(f"Its skills have over {MAX_BYTES // MIB} MiB.")
    folder.mkdir()
    # Links last: nothing is ever written through one.
    read.sort(key=lambda blob: blob.mode == LINK)
    try:
        for blob in set(blobs).difference(read):
            with _new(folder, blob).open("xb") as file:
                file.truncate(MAX_FILE_BYTES + 1)
        with closing(_contents(git, read)) as contents:
            for blob, content in zip(read, contents, strict=True):
                _write(folder, blob, content)
    except (OSError, ValueError) as error:
        raise SourceInvalid(f"A file of it cannot be written: {error}.") from error


def _listed(git: Git, tree: str) -> list[Blob]:
    with git.start("ls-tree", "-r", "-z", "-l", tree) as output:
        listing = output.read(MAX_LISTING + 1)
        if len(listing) > MAX_LISTING:
            raise SourceTooLarge(f"Its list of files has over {MAX_LISTING // MIB} MiB.")
    return [_blob(line) for line in os.fsdecode(listing).split("\0") if line]


def _blob(line: str) -> Blob:
    """`100755 blob <name> <size>`, a tab and the path; a repository inside another has no size."""
    about, _, path = line.partition("\t")
    mode, _, name, size = about.split()
    return Blob(path, mode, name, int(size) if size.isdigit() else 0)


def _wanted(listed: Sequence[Blob]) -> Iterator[Blob]:
    """The files of skills, the lists of plugins, and links, which may lead to either."""
    roots = {blob.path.rpartition("/")[0] for blob in listed if _name(blob) == SKILL_MD}
    if len(roots) > MAX_SKILLS:
        raise SourceTooLarge(f"It has {len(roots)} skills; {MAX_SKILLS} are taken at once.")
    for blob in listed:
        listing = f"/{blob.path}".endswith(f"/{PLUGIN_FILE}") or blob.path in PLACES
        of_skill = belongs(blob.path) and not roots.isdisjoint(_above(blob))
        # A file that is too deep for a skill may not go missing from it unsaid: it is refused when written.
        elsewhere = (listing or blob.mode == LINK) and not _is_deep(blob)
        if blob.mode in KINDS and (of_skill or elsewhere):
            yield blob


def _above(blob: Blob) -> set[str]:
    """The folders around a file, the outer ones of a deep one: each further one would cost its whole path."""
    return {"", *accumulate(blob.path.split("/", MAX_PARTS)[:-1], "{}/{}".format)}


def _is_deep(blob: Blob) -> bool:
    return blob.path.count("/") > MAX_PARTS


def _name(blob: Blob) -> str:
    return blob.path.rpartition("/")[2]


def _contents(git: Git, blobs: Sequence[Blob]) -> Generator[bytes]:
    """Each file's content; the names go in by a file, so that neither side waits for the other."""
    with tempfile.TemporaryFile() as names:
        names.write("".join(f"{blob.name}\n" for blob in blobs).encode())
        names.seek(0)
        with git.start("cat-file", "--batch", stdin=names) as output:
            for blob in blobs:
                yield _content(output, blob)


def _content(stream: IO[bytes], blob: Blob) -> bytes:
    """One answer of `cat-file --batch`: a line with the size, the content, a line's end."""
    about = stream.readline().split()
    if about[1:] != [b"blob", str(blob.size).encode()]:
        raise SourceUnreachable(f"git did not give {shown(blob.path)}.")
    content = stream.read(blob.size)
    stream.read(1)
    return content


def _write(folder: Path, blob: Blob, content: bytes) -> None:
    target = _new(folder, blob)
    if blob.mode == LINK:
        target.symlink_to(os.fsdecode(content))
        return
    with target.open("xb") as file:
        file.write(content)
    target.chmod(0o755 if blob.mode == EXECUTABLE else 0o644)


def _new(folder: Path, blob: Blob) -> Path:
    """Where a file goes: inside, and where nothing is yet."""
    parts = blob.path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\\" in blob.path:
        raise SourceInvalid(f"The path {shown(blob.path)} leads outside or nowhere.")
    if _is_deep(blob):
        raise SourceInvalid(f"The path {shown(blob.path[:100])}... is deeper than {MAX_PARTS} folders.")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
