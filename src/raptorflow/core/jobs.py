"""Durable jobs: a job is a row in the transaction of the rows it belongs to.

A server only enqueues; `core.engine` runs the jobs in a worker. Rooms need this module alone, and with it
none of the engine behind.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin
from raptorflow.core.wakeup import notify

CHANNEL = "raptorflow_jobs"

Result = TypeVar("Result")


class JobContext(Protocol):
    """What a job's handler works with."""

    @property
    def job_id(self) -> UUID:
        """The job; also the id under which the engine journals it."""
        ...

    @property
    def org_id(self) -> UUID:
        """Whose job it is."""
        ...

    async def step(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run a step once and journal its JSON-ready result; a finished step is read back, not run.

        A part that does not answer is tried again a few times; other errors fail the job. A step that was
        under way when its worker died runs again, so it has to stand that.

        Raises:
            JobFailed: the step failed; `cause` says how.
        """
        ...


JobHandler = Callable[[JobContext, JsonObject], Awaitable[None]]
FailureHandler = Callable[[JobContext, JsonObject, JsonObject], Awaitable[None]]


class JobRunner(Protocol):
    """Where rooms register what runs their jobs; the engine, in a worker."""

    def register(self, name: str, handler: JobHandler, on_failure: FailureHandler) -> None:
        """Let `handler` run the jobs of a name; `on_failure` gets the problem document, once."""
        ...


class Job(Base, IdMixin, CreatedMixin, OrgMixin):
    """A job, until the engine has taken it over."""

    __tablename__ = "jobs"

    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    dispatched_at: Mapped[datetime | None]


@dataclass(frozen=True)
class WaitingJob:
    """A job as the engine takes it."""

    id: UUID
    org_id: UUID
    name: str
    payload: JsonObject


async def enqueue(
    session: AsyncSession, *, org_id: UUID, name: str, payload: JsonObject, job_id: UUID | None = None
) -> UUID:
    """Add a job to the caller's transaction; it runs once that has committed.

    Args:
        session: the transaction of the rows the job belongs to.
        org_id: whose job it is.
        name: what a room registered with the engine.
        payload: JSON-ready.
        job_id: its id, when the caller has one.
    """
    job = Job(id=job_id or new_id(), org_id=org_id, name=name, payload=payload)
    session.add(job)
    await notify(session, CHANNEL)
    await session.flush()
    return job.id


async def take_waiting(session: AsyncSession, names: Collection[str], limit: int) -> Sequence[WaitingJob]:
    """Mark up to `limit` waiting jobs as taken, the oldest first, none that another worker takes now.

    Jobs of other names wait for a worker that knows them.
    """
    found = await session.scalars(
        select(Job)
        .where(Job.dispatched_at.is_(None), Job.name.in_(names))
        .order_by(Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    jobs = found.all()
    for job in jobs:
        job.dispatched_at = func.now()
    return [WaitingJob(job.id, job.org_id, job.name, job.payload) for job in jobs]
