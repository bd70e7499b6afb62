"""Files on this machine and in the blob store: uploads stream in, actions get a path, artefacts go back."""

import asyncio
import hashlib
import mimetypes
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from raptorflow.core.blobs import BlobStore
from raptorflow.orchestrator.errors import FileTooLarge, InvalidUpload
from raptorflow.orchestrator.runs.records import SessionFileRef

MIB = 1024 * 1024
LONGEST_NAME = 200
DEFAULT_MEDIA_TYPE = "application/octet-stream"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True)
class StoredFile:
    """Content that is safe in the blob store."""

    size: int
    sha256: str
    blob_key: str


def safe_name(name: str) -> str:
    """A file's last path component without characters that a file system or a terminal would misread.

    Raises:
        InvalidUpload: nothing is left of it.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = _UNSAFE.sub("_", last).strip(" .")
    if not clean:
        raise InvalidUpload(f"{name!r} is no name for a file.", hint="Give it a name such as data.csv.")
    if len(clean) <= LONGEST_NAME:
        return clean
    stem, suffix = os.path.splitext(clean)
    return stem[: LONGEST_NAME - len(suffix)] + suffix[:LONGEST_NAME]


def unused_name(name: str, taken: set[str]) -> str:
    """The name, or with ` (2)`, ` (3)`, ... before its suffix when it is taken."""
    stem, suffix = os.path.splitext(name)
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{stem} ({number}){suffix}"
    return candidate


def media_type_of(name: str) -> str:
    """By the name's suffix; content is never trusted to be what it says."""
    return mimetypes.guess_type(name)[0] or DEFAULT_MEDIA_TYPE


class FileStore:
    """Files by content: the blob store keeps them, a folder caches them.

    Args:
        blobs: where they are kept.
        folder: a private folder for the cache; a temporary one when not given.
    """

    def __init__(self, blobs: BlobStore, folder: Path | None = None) -> None:
        self._blobs = blobs
        # Not made when it is first used: threads may do that at once, and each would make one.
        self._folder = folder or self._temporary()
        self._fetching: dict[str, asyncio.Lock] = {}

    async def receive(self, org_id: UUID, name: str, chunks: AsyncIterator[bytes], limit: int) -> StoredFile:
        """Store a stream of bytes; it never is in memory as a whole while it comes in.

        Raises:
            FileTooLarge: more than `limit` bytes came.
        """
        handle, path_text = await asyncio.to_thread(tempfile.mkstemp, dir=self.folder())
        path, size, digest = Path(path_text), 0, hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise too_large(name, size, limit)
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
            return await self._put(org_id, path, size, digest.hexdigest())
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def keep(self, org_id: UUID, path: Path) -> StoredFile:
        """Store a file of this machine."""
        size, digest = await asyncio.to_thread(_measure, path)
        return await self._put(org_id, path, size, digest)

    async def local(self, file: SessionFileRef) -> Path:
        """A read-only copy on this machine, fetched once."""
        path = self.folder() / file.sha256
        async with self._fetching.setdefault(file.sha256, asyncio.Lock()):
            if not path.exists():
                content = await self._blobs.get(file.blob_key)
                await asyncio.to_thread(_write_whole, path, content)
        self._fetching.pop(file.sha256, None)
        return path

    async def content(self, blob_key: str) -> bytes:
        """A file's bytes."""
        return await self._blobs.get(blob_key)

    def folder(self) -> Path:
        """The cache's folder."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder

    def workplace(self) -> Path:
        """A fresh folder for one action's artefacts; give it to `clear` afterwards."""
        return Path(tempfile.mkdtemp(prefix="out-", dir=self.folder()))

    def clear(self, workplace: Path) -> None:
        """Remove such a folder."""
        shutil.rmtree(workplace, ignore_errors=True)

    def _temporary(self) -> Path:
        """A folder that goes when this does."""
        made = tempfile.mkdtemp(prefix="raptorflow-files-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)

    async def _put(self, org_id: UUID, path: Path, size: int, sha256: str) -> StoredFile:
        key = f"orchestrator/{org_id}/{sha256[:2]}/{sha256}"
        if not await self._blobs.exists(key):
            await self._blobs.put(key, await asyncio.to_thread(path.read_bytes))
        return StoredFile(size, sha256, key)


def too_large(name: str, size: int, limit: int) -> FileTooLarge:
    """The refusal of a file, with its numbers."""
    message = f"{name} has more than {limit:,} bytes ({limit / MIB:g} MiB), the limit for a file."
    return FileTooLarge(message, details={"limit_bytes": limit, "received_bytes": size})


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest


def _write_whole(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o444)
    Path(file.name).rename(path)
