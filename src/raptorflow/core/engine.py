"""The durable engine: jobs whose finished steps never run again, whichever process dies.

DBOS stands behind this face. A job row becomes a workflow whose id is the job's, so taking it over twice
does no harm. Each worker beats in `engine_executors`; when one stops, another recovers its workflows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos import Serializer as DBOSSerializer
from sqlalchemy.engine import make_url

from raptorflow.base.errors import PartUnavailable, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.db import APP_ROLE, Database
from raptorflow.core.errors import JobFailed, UnknownJob
from raptorflow.core.executors import beat, take_over_dead
from raptorflow.core.jobs import CHANNEL, WaitingJob, take_waiting
from raptorflow.core.settings import EngineSettings
from raptorflow.core.telemetry import logger
from raptorflow.core.wakeup import Wakeup, plain_url

log = logger(__name__)

Result = TypeVar("Result")
SCHEMA = "dbos"
STEP_ATTEMPTS = 4
STEP_PAUSE_SECONDS = 0.5
STOP_SECONDS = 5
ERROR = "raptorflow_error"
# DBOS offers recovery of another executor's workflows under this private name alone; the version is pinned.
RECOVER = "_recover_pending_workflows"


class JobContext:
    """What a job's handler works with."""

    def __init__(self, job_id: UUID, org_id: UUID) -> None:
        self.job_id = job_id
        self.org_id = org_id

    async def step(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run a step once and journal its JSON-ready result; a finished step is read back, not run.

        A part that does not answer is tried again a few times; other errors fail the job.

        Raises:
            JobFailed: the step failed; `problem` says how.
        """

        async def recorded() -> dict[str, Any]:
            try:
                return {"result": await work()}
            except PartUnavailable:
                raise
            except RaptorFlowError as error:
                # A refusal is an outcome: it is journaled, and a recovered job refuses again without work.
                return {"problem": error.problem()}

        outcome: dict[str, Any] = await DBOS.run_step_async(
            {
                "name": name,
                "retries_allowed": True,
                "max_attempts": STEP_ATTEMPTS,
                "interval_seconds": STEP_PAUSE_SECONDS,
                "should_retry": _is_transient,
            },
            recorded,
        )
        if "problem" in outcome:
            raise JobFailed(outcome["problem"])
        return outcome["result"]


JobHandler = Callable[[JobContext, JsonObject], Awaitable[None]]
FailureHandler = Callable[[JobContext, JsonObject, JsonObject], Awaitable[None]]


@dataclass(frozen=True)
class Registered:
    """A job's handler, and what to do once when it fails for good."""

    handler: JobHandler
    on_failure: FailureHandler


class Engine:
    """Runs jobs in this process until stopped; one a process.

    Args:
        database: where jobs wait.
        url: SQLAlchemy URL of the same database, for the engine's own tables.
        settings: executor id, application version, concurrency.
    """

    def __init__(self, database: Database, url: str, settings: EngineSettings) -> None:
        self._database = database
        self._url = url
        self._settings = settings
        self._registered: dict[str, Registered] = {}
        self._free = asyncio.Semaphore(settings.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wakeup = Wakeup(url, CHANNEL)
        self._workflow: Any = None

    def register(self, name: str, handler: JobHandler, on_failure: FailureHandler) -> None:
        """Let `handler` run the jobs of a name; `on_failure` gets the problem document, once."""
        self._registered[name] = Registered(handler, on_failure)

    async def start(self) -> None:
        """Recover what this executor left behind, then take jobs."""
        await beat(self._database, self._settings.executor_id)
        DBOS(config=_configuration(self._url, self._settings))

        async def raptorflow_job(name: str, job_id: str, org_id: str, payload: JsonObject) -> str:
            return await self._run(name, job_id, org_id, payload)

        self._workflow = DBOS.workflow(name="raptorflow_job")(raptorflow_job)
        await asyncio.to_thread(DBOS.launch)
        loops = (self._wakeup.listen(), self._take_jobs(), self._keep_beating())
        self._tasks = {asyncio.create_task(loop) for loop in loops}

    async def stop(self) -> None:
        """Take no more jobs and give those that run a few seconds; the rest is recovered later."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await asyncio.to_thread(
            DBOS.destroy, workflow_completion_timeout_sec=STOP_SECONDS, destroy_registry=True
        )
        # DBOS took over the loop's threads and has ended them; others still need some.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    async def _run(self, name: str, job_id: str, org_id: str, payload: JsonObject) -> str:
        context = JobContext(UUID(job_id), UUID(org_id))
        registered = self._registered.get(name)
        if registered is None:
            raise UnknownJob(f"No room has registered the job {name}.")
        try:
            await registered.handler(context, payload)
        except JobFailed as failure:
            problem = failure.cause
        except RaptorFlowError as error:
            problem = error.problem()
        except Exception as error:
            log.error("job failed", job=name, job_id=job_id, exc_info=error)
            problem = RaptorFlowError(
                "The job failed in a way that was not expected.",
                hint=f"Search the worker's log for {job_id}.",
            ).problem()
        else:
            return "done"

        async def fail() -> None:
            await registered.on_failure(context, payload, problem)

        await context.step("fail", fail)
        return "failed"

    async def _take_jobs(self) -> None:
        while True:
            with suppress(RaptorFlowError):
                while await self._take_some():
                    pass
            await self._wakeup.wait(self._settings.poll_seconds)

    async def _take_some(self) -> bool:
        await self._free.acquire()
        self._free.release()
        async with self._database.system_session() as session:
            jobs = await take_waiting(session, limit=self._settings.concurrency)
            for job in jobs:
                await self._start_workflow(job)
        return bool(jobs)

    async def _start_workflow(self, job: WaitingJob) -> None:
        """Start a job's workflow before its row is marked: between the two a crash only starts it again."""
        await self._free.acquire()
        with SetWorkflowID(str(job.id)):
            handle = await DBOS.start_workflow_async(
                self._workflow, job.name, str(job.id), str(job.org_id), job.payload
            )
        watcher = asyncio.create_task(self._release_after(handle))
        self._tasks.add(watcher)
        watcher.add_done_callback(self._tasks.discard)

    async def _release_after(self, handle: Any) -> None:
        try:
            await handle.get_result()
        except Exception as error:
            log.error("job ended with an error", workflow=handle.workflow_id, exc_info=error)
        finally:
            self._free.release()

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            await beat(self._database, self._settings.executor_id)
            dead = await take_over_dead(self._database, self._settings.lease_seconds)
            if dead:
                log.warning("recovering jobs of executors that stopped", executors=dead)
                await asyncio.to_thread(getattr(DBOS, RECOVER), dead)


class _Json(DBOSSerializer):
    """JSON, so that nothing in the database can become code; an error keeps its sentence and its kind."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            transient = isinstance(data, PartUnavailable)
            return dumps({ERROR: str(data) or repr(data), "transient": transient})
        return dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        if serialized_data.startswith(f'{{"{ERROR}"'):
            error: JsonObject = loads(serialized_data)
            return (PartUnavailable if error["transient"] else RaptorFlowError)(str(error[ERROR]))
        return loads(serialized_data)

    def name(self) -> str:
        return "raptorflow_json"


def migrate_engine(owner_url: str) -> None:
    """Bring the engine's own schema forward and let the program's role use it."""
    DBOS.migrate(plain_url(owner_url), schema=SCHEMA, application_role=APP_ROLE)


def _configuration(url: str, settings: EngineSettings) -> DBOSConfig:
    return {
        "name": "raptorflow",
        "system_database_url": make_url(url).render_as_string(hide_password=False),
        "db_engine_kwargs": {"connect_args": {"options": f"-c role={APP_ROLE}"}},
        "dbos_system_schema": SCHEMA,
        "run_migrations": False,
        "application_version": settings.application_version,
        "executor_id": settings.executor_id,
        "serializer": _Json(),
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 1.0,
    }


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, PartUnavailable)
