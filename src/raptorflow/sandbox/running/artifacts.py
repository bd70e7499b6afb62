"""Taking files out of a sandbox whose programs are all dead, trusting nothing that lies in it.

The agent names what lies in `/workspace/out` and sends what it is asked for; the host takes bytes and chooses
the names under which they are kept.
"""

import asyncio
import errno
import hashlib
import mimetypes
from collections.abc import Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from raptorflow.sandbox.agent.files import Entry, EntryKind, get, names
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.errors import FileRefused, SandboxGone
from raptorflow.sandbox.result import Artifact
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import OUTPUTS

MAX_DEPTH = 8
MAX_ENTRIES = 10_000
MAX_NAME = 200
MAX_REFUSALS = 50
# Files that are named and do not come: each costs both sides an answer, and none counts as taken.
MAX_FAILURES = 100
ENTRIES_A_TURN = 256
# Bytes a second that even a slow channel carries.
SLOWEST = 4 * 1024 * 1024
KINDS: dict[EntryKind, str] = {
    "link": "a symbolic link",
    "pipe": "a named pipe",
    "socket": "a socket",
    "device": "a device",
    "other": "neither a file nor a folder that can be read",
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


async def collect(link: Link, target: Path, settings: SandboxSettings, *, folder: str = OUTPUTS) -> Collected:
    """Copy the regular files below a folder inside to a host folder.

    Args:
        link: to the sandbox.
        target: made when missing; files that exist there are never overwritten.
        settings: how many files, and how many bytes each and in all (a sparse file counts with its length).
        folder: inside.

    Returns:
        What was taken, also when the sandbox ended meanwhile or did not answer in time.
    """
    collector = _Collector(link, (folder, target), settings)
    try:
        async with asyncio.timeout(settings.start_seconds + settings.max_artifacts_bytes / SLOWEST):
            await collector.everything()
    except TimeoutError:
        collector.found.refuse("out", "taking its files took too long; the rest was left")
    except SandboxGone:
        collector.found.refuse("out", "the sandbox was gone before all its files were taken")
    return collector.found


def safe_part(name: str) -> str:
    """One part of a path as a harmless file name: printable, short, no leading dash or dot."""
    clean = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name)
    # The end is kept: it has the suffix. Cutting may leave a part of a character, which is dropped.
    end = clean.encode("utf-8", "replace")[-MAX_NAME:].decode(errors="ignore")
    return end.lstrip(".- ") or "_"


class _Collector:
    def __init__(self, link: Link, folders: tuple[str, Path], settings: SandboxSettings) -> None:
        self.found = Collected()
        self._link = link
        self._folder, self._target = folders
        self._files = settings.max_artifacts
        self._failures = MAX_FAILURES
        self._bytes = settings.max_artifacts_bytes
        self._bytes_each = settings.max_artifact_bytes
        self._taken: set[str] = set()
        # The last number that was put to a name; the next file of that name need not count from one again.
        self._numbers: dict[str, int] = {}

    async def everything(self) -> None:
        """Take what may be taken.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        try:
            entries = await names(self._link, self._folder, most=MAX_ENTRIES, levels=MAX_DEPTH)
        except FileRefused as error:
            if error.details.get("errno") != errno.ENOENT:
                self.found.refuse("out", "is no folder any more")
            return
        for count, entry in enumerate(entries, 1):
            await self._entry(entry)
            if count % ENTRIES_A_TURN == 0:
                await asyncio.sleep(0)
        if len(entries) == MAX_ENTRIES:
            self.found.refuse("out", f"holds {MAX_ENTRIES} entries or more; no more were looked at")

    async def _entry(self, entry: Entry) -> None:
        """Take a file, or say why not."""
        if entry.kind == "folder":
            if entry.path.count("/") + 1 >= MAX_DEPTH:
                self.found.refuse(entry.path, f"lies deeper than {MAX_DEPTH} folders")
        elif entry.kind != "file":
            self.found.refuse(entry.path, f"is {KINDS[entry.kind]}")
        elif self._files <= 0:
            self.found.refuse(entry.path, "there are too many files")
        elif self._failures <= 0:
            self.found.refuse(entry.path, "too many files before it could not be taken")
        elif entry.size > min(self._bytes, self._bytes_each):
            self.found.refuse(entry.path, f"its {entry.size} bytes are more than may still be taken")
        else:
            await self._copy(entry)

    async def _copy(self, entry: Entry) -> None:
        name = self._unused("/".join(safe_part(part) for part in entry.path.split("/")))
        path = self._target / name
        try:
            size, digest = await self._fetch(entry, path)
        except FileRefused as error:
            self._fail(entry, error.message)
        except OSError as error:
            # A file may lie where another one needs a folder, or this machine's disk is full.
            self._fail(entry, f"it cannot be kept: {error.strerror}")
        else:
            self._files -= 1
            self._bytes -= size
            media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self.found.artifacts.append(Artifact(name, path, size, digest, media_type))

    def _fail(self, entry: Entry, reason: str) -> None:
        self._failures -= 1
        self.found.refuse(entry.path, reason)

    async def _fetch(self, entry: Entry, path: Path) -> tuple[int, str]:
        """Copy a file, whole or not at all: its size and its digest."""
        async with aclosing(get(self._link, f"{self._folder}/{entry.path}", entry.size)) as chunks:
            # What does not come at all needs no place here.
            first = await anext(chunks, b"")
            digest = hashlib.sha256(first)
            with _new(path) as copy:
                size = copy.write(first)
                async for chunk in chunks:
                    digest.update(chunk)
                    size += copy.write(chunk)
        return size, digest.hexdigest()

    def _unused(self, name: str) -> str:
        """The name, or with a number before its suffix when it is taken (also in another case)."""
        wanted = name.casefold()
        path = Path(name)
        number = self._numbers.get(wanted, 1)
        while name.casefold() in self._taken or (self._target / name).exists():
            number += 1
            name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
        self._numbers[wanted] = number
        self._taken.add(name.casefold())
        return name


@contextmanager
def _new(path: Path) -> Generator[BinaryIO]:
    """A file that did not exist, and its folders; what the block does not complete is removed with those."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _new_file(path) as file:
            yield file
    except BaseException:
        for folder in missing:
            # Another run may have put something there meanwhile.
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    with path.open("xb") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise
