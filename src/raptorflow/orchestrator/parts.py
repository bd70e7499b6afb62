"""What the orchestrator's services share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.identity import Caller
from raptorflow.core.db import Database
from raptorflow.orchestrator.files.store import FileStore
from raptorflow.orchestrator.ports import SkillSource
from raptorflow.orchestrator.repository import Owner
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.news import RunNews


@dataclass(frozen=True)
class Parts:
    """The database, the files, the skills, the limits, and how news gets to workers and windows."""

    database: Database
    store: FileStore
    skills: SkillSource
    settings: OrchestratorSettings
    news: RunNews

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncGenerator[tuple[AsyncSession, Owner]]:
        """One transaction for a caller: what a repository is made of."""
        async with self.database.session(caller.org_id) as session:
            yield session, Owner(caller.org_id, caller.user_id)
