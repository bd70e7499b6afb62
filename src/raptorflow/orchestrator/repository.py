"""What the web process's queries start from: a session, its runs and its files are their user's alone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.models import File, Run, Session

OPEN = ("queued", "running")


@dataclass(frozen=True)
class Owner:
    """Whose rows a query is about."""

    org_id: UUID
    user_id: UUID


class OwnedRepository:
    """Queries over one transaction, for one user of one organisation."""

    def __init__(self, session: AsyncSession, owner: Owner) -> None:
        self._session = session
        self._owner = owner

    def _own(self, table: type[Session] | type[Run] | type[File]) -> tuple[Any, Any]:
        return table.org_id == self._owner.org_id, table.user_id == self._owner.user_id

    def _ids(self, **others: object) -> JsonObject:
        """The owner's ids, and others, as the values of a statement in SQL."""
        return {"org_id": self._owner.org_id, "user_id": self._owner.user_id, **others}
