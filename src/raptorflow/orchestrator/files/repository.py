"""Files, and which session has them under which name."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from raptorflow.orchestrator.models import File, SessionFile
from raptorflow.orchestrator.repository import OwnedRepository


class FilesRepository(OwnedRepository):
    """The queries."""

    def add(self, row: File) -> None:
        """Store a new file's record."""
        self._session.add(row)

    async def file(self, file_id: UUID) -> File | None:
        """One file."""
        return await self._session.scalar(select(File).where(File.id == file_id, *self._own(File)))

    async def files(self, file_ids: Sequence[UUID]) -> Sequence[File]:
        """Those of the files that are the user's."""
        query = select(File).where(File.id.in_(file_ids), *self._own(File))
        return (await self._session.scalars(query)).all()

    async def session_files(self, session_id: UUID) -> list[tuple[File, str]]:
        """A session's files, each with its name there."""
        query = (
            select(File, SessionFile.name)
            .join(SessionFile, SessionFile.file_id == File.id)
            .where(SessionFile.session_id == session_id, SessionFile.org_id == self._owner.org_id)
            .order_by(File.id)
        )
        return [(row[0], row[1]) for row in (await self._session.execute(query)).all()]

    async def attach(self, session_id: UUID, names: dict[UUID, str]) -> None:
        """Put files into a session."""
        rows = [
            {"session_id": session_id, "file_id": file_id, "name": name, "org_id": self._owner.org_id}
            for file_id, name in names.items()
        ]
        await self._session.execute(insert(SessionFile).on_conflict_do_nothing(), rows)
