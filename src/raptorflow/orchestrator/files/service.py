"""Uploads, and the artefacts that runs made."""

from collections.abc import AsyncIterator
from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.orchestrator.errors import no_file
from raptorflow.orchestrator.files.repository import FilesRepository
from raptorflow.orchestrator.files.store import media_type_of, safe_name
from raptorflow.orchestrator.models import File
from raptorflow.orchestrator.parts import Parts
from raptorflow.orchestrator.schemas import FileView


class Files:
    """A user's files. They outlive the session they were attached to."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def add(self, caller: Caller, name: str, chunks: AsyncIterator[bytes]) -> FileView:
        """Store an upload.

        Raises:
            InvalidUpload: the name is no name.
            FileTooLarge: it is larger than the limit.
        """
        name = safe_name(name)
        limit = self._parts.settings.max_file_bytes
        stored = await self._parts.store.receive(caller.org_id, name, chunks, limit)
        row = File(
            id=new_id(),
            org_id=caller.org_id,
            user_id=caller.user_id,
            run_id=None,
            name=name,
            size=stored.size,
            sha256=stored.sha256,
            media_type=media_type_of(name),
            blob_key=stored.blob_key,
            created_at=utc_now(),
        )
        async with self._parts.transaction(caller) as who:
            FilesRepository(*who).add(row)
        return FileView.model_validate(row)

    async def record(self, caller: Caller, file_id: UUID) -> FileView:
        """A file's record.

        Raises:
            FileNotFound: there is none, or it is somebody else's.
        """
        return FileView.model_validate(await self._file(caller, file_id))

    async def content(self, caller: Caller, file_id: UUID) -> tuple[FileView, bytes]:
        """A file and its content.

        Raises:
            FileNotFound: there is none, or it is somebody else's.
        """
        row = await self._file(caller, file_id)
        return FileView.model_validate(row), await self._parts.store.content(row.blob_key)

    async def _file(self, caller: Caller, file_id: UUID) -> File:
        async with self._parts.transaction(caller) as who:
            row = await FilesRepository(*who).file(file_id)
        if row is None:
            raise no_file(file_id)
        return row
