"""Skills laid out on this machine: read-only folders by digest, made from content-addressed blobs."""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raptorflow.core.blobs import BlobStore
from raptorflow.core.errors import BlobMissing
from raptorflow.skills.digest import file_digest
from raptorflow.skills.model import SkillFile

READ_ONLY, READ_ONLY_EXECUTABLE = 0o444, 0o555


class Library:
    """Stores files once by content, and lays skills out.

    Args:
        blobs: where files are kept.
        folder: where skills are laid out.
    """

    def __init__(self, blobs: BlobStore, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder

    async def store(self, files: dict[str, bytes]) -> None:
        """Keep every file under its SHA-256."""
        contents = {file_digest(content): content for content in files.values()}
        await asyncio.gather(*(self._blobs.put(blob_key(name), data) for name, data in contents.items()))

    async def read(self, sha256: str) -> bytes:
        """A file's content, verified.

        Raises:
            BlobMissing: it is gone, or was changed.
        """
        content = await self._blobs.get(blob_key(sha256))
        if file_digest(content) != sha256:
            raise BlobMissing(f"The blob {sha256} does not have the content its name promises.")
        return content

    async def read_all(self, files: Sequence[SkillFile]) -> dict[str, bytes]:
        """All files of a skill, by path."""
        contents = await asyncio.gather(*(self.read(file.sha256) for file in files))
        return {file.path: content for file, content in zip(files, contents, strict=True)}

    async def lay_out(self, digest: str, files: Sequence[SkillFile]) -> Path:
        """The read-only folder of a skill, made when it is not there."""
        target = self._folder / digest.removeprefix("sha256:")
        if not target.exists():
            contents = await self.read_all(files)
            await asyncio.to_thread(self._write, target, files, contents)
        return target

    def _write(self, target: Path, files: Sequence[SkillFile], contents: dict[str, bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self._folder, prefix=".new-"))
        for file in files:
            path = fresh / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents[file.path])
            path.chmod(READ_ONLY_EXECUTABLE if file.executable else READ_ONLY)
        fresh.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:
            # Another process was faster; its folder has the same content.
            shutil.rmtree(fresh)
            if not target.exists():
                raise


def blob_key(sha256: str) -> str:
    """Where a file's content is kept."""
    return f"files/{sha256[:2]}/{sha256}"


def archive_key(archive: bytes) -> str:
    """Where an uploaded archive waits for its publish."""
    return f"uploads/{hashlib.sha256(archive).hexdigest()}"


def files_of(rows: Sequence[Any]) -> tuple[SkillFile, ...]:
    """The files of a version, from its row."""
    return tuple(SkillFile(row["path"], row["size"], row["sha256"], row["executable"]) for row in rows)
