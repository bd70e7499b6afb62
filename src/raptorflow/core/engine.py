"""The durable engine: jobs whose finished steps never run again, whichever process dies.

DBOS stands behind this face. A job row becomes a workflow whose id is the job's, so taking it over twice
does no harm. Each worker beats in `engine_executors`; when one stops, another recovers its workflows. The
journal is fenced: a worker that was taken for dead and comes back can write nothing to it any more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import stamina
from dbos import DBOS, SetWorkflowID
from sqlalchemy.exc import InterfaceError, OperationalError

from raptorflow.base.errors import PartUnavailable, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.db import Database
from raptorflow.core.durable import configuration, recover
from raptorflow.core.errors import JobFailed, UnknownJob
from raptorflow.core.executors import Executor
from raptorflow.core.jobs import CHANNEL, FailureHandler, JobHandler, WaitingJob, take_waiting
from raptorflow.core.settings import EngineSettings
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.core.wakeup import Wakeup

log = logger(__name__)

Result = TypeVar("Result")
LONGEST_PAUSE_SECONDS = 60.0
TRANSIENT = (PartUnavailable, OperationalError, InterfaceError, ConnectionError)
UNLIMITED = None


@dataclass(frozen=True)
class _Context:
    """One job's run in this process."""

    job_id: UUID
    org_id: UUID
    settings: EngineSettings

    async def step(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result:
        return await self.journaled(name, work, self.settings.step_attempts)

    async def journaled(
        self, name: str, work: Callable[[], Awaitable[Result]], attempts: int | None
    ) -> Result:
        """A step with so many attempts while a part does not answer; `None`: until it answers."""

        async def recorded() -> JsonObject:
            # A refusal is an outcome: it is journaled, and a recovered job refuses again without work.
            try:
                return {"result": loads(dumps(await self._tried(work, attempts)))}
            except Exception as error:
                return {"problem": self.problem_of(error)}

        outcome: JsonObject = await DBOS.run_step_async({"name": name}, recorded)
        if "problem" in outcome:
            raise JobFailed(outcome["problem"])
        return outcome["result"]

    async def _tried(self, work: Callable[[], Awaitable[Result]], attempts: int | None) -> Result:
        again = stamina.AsyncRetryingCaller(
            attempts=attempts,
            timeout=None,
            wait_initial=self.settings.step_pause_seconds,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=self.settings.step_pause_seconds,
        )
        return await again(TRANSIENT, work)

    def problem_of(self, error: Exception) -> JsonObject:
        """What the job's owner is shown; of what was not expected the log alone has the text."""
        if isinstance(error, JobFailed):
            return error.cause
        if isinstance(error, RaptorFlowError):
            return error.problem()
        log.error("job failed", job_id=str(self.job_id), exc_info=error)
        return RaptorFlowError(
            "The job failed in a way that was not expected.",
            hint=f"Search the worker's log for {self.job_id}.",
        ).problem()


@dataclass(frozen=True)
class _Registered:
    """A job's handler, and what to do once when it fails for good."""

    handler: JobHandler
    on_failure: FailureHandler


class Engine:
    """Runs jobs in this process until stopped; one a process.

    Args:
        database: where jobs wait.
        url: SQLAlchemy URL of the same database, for the engine's own tables.
        settings: application version, concurrency, pauses.
    """

    def __init__(self, database: Database, url: str, settings: EngineSettings) -> None:
        self._database = database
        self._url = url
        self._settings = settings
        self._registered: dict[str, _Registered] = {}
        self._executor = Executor(database, url, settings)
        self._wakeup = Wakeup(url, CHANNEL)
        self._loops: list[asyncio.Task[None]] = []
        self._started: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[Any]] = set()
        self._workflow: Any = None

    def register(self, name: str, handler: JobHandler, on_failure: FailureHandler) -> None:
        """Let `handler` run the jobs of a name; `on_failure` gets the problem document, once."""
        self._registered[name] = _Registered(handler, on_failure)

    async def start(self) -> None:
        """Recover what this executor left behind, then take jobs.

        Raises:
            ExecutorTaken: another worker has this one's name.
        """
        name = await self._executor.enter()
        try:
            self._launch(name)
        except BaseException:
            await self._end()
            raise
        loops = (self._wakeup.listen(), self._take_jobs(), self._keep_beating())
        self._loops = [asyncio.create_task(loop) for loop in loops]

    async def stop(self) -> None:
        """Take no more jobs and give those that run some seconds; the rest goes on elsewhere or later."""
        *taking, beating = self._loops
        await end_tasks([*taking, *self._started])
        if self._running:
            await asyncio.wait(self._running, timeout=self._settings.stop_seconds)
        await end_tasks(list(self._running))
        await self._end()
        # What was recovered in the very last moment is left for the next one, too.
        await end_tasks([*self._running, beating])

    def _launch(self, executor_id: str) -> None:
        DBOS(config=configuration(self._url, self._settings, executor_id))

        async def raptorflow_job(name: str, job_id: str, org_id: str, payload: JsonObject) -> str:
            return await self._run(name, _Context(UUID(job_id), UUID(org_id), self._settings), payload)

        self._workflow = DBOS.workflow(name="raptorflow_job")(raptorflow_job)
        # Not in a thread: DBOS runs what it recovers on the loop that launched it, where our pools are.
        DBOS.launch()

    async def _end(self) -> None:
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # DBOS took over the loop's threads and has ended them; others still need some.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        with _surviving("the executor's name was not given back"):
            await self._executor.leave()

    async def _run(self, name: str, context: _Context, payload: JsonObject) -> str:
        task = asyncio.current_task()
        if task:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        registered = self._registered.get(name)
        if registered is None:
            raise UnknownJob(f"No room has registered the job {name}.")
        try:
            await registered.handler(context, payload)
        except Exception as error:
            problem = context.problem_of(error)
        else:
            return "done"

        async def fail() -> None:
            await registered.on_failure(context, payload, problem)

        await context.journaled("fail", fail, UNLIMITED)
        return "failed"

    async def _take_jobs(self) -> None:
        while True:
            with _surviving("jobs could not be taken"):
                while await self._take_some():
                    pass
            await self._wakeup.wait(self._settings.poll_seconds)

    async def _take_some(self) -> bool:
        free = self._settings.concurrency - len(self._started)
        if free <= 0 or not self._executor.holds_name:
            return False
        async with self._database.system_session() as session:
            jobs = await take_waiting(session, names=list(self._registered), limit=free)
            for job in jobs:
                await self._start_workflow(job)
        return bool(jobs)

    async def _start_workflow(self, job: WaitingJob) -> None:
        """Start a job's workflow before its row is marked: between the two a crash only starts it again."""
        with SetWorkflowID(str(job.id)):
            handle = await DBOS.start_workflow_async(
                self._workflow, job.name, str(job.id), str(job.org_id), job.payload
            )
        watcher = asyncio.create_task(self._watch(handle))
        self._started.add(watcher)
        watcher.add_done_callback(self._started.discard)

    async def _watch(self, handle: Any) -> None:
        """Hold a place among the jobs that run at once until a job has ended."""
        with _surviving("job ended with an error"):
            await handle.get_result()
        self._wakeup.call()

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            with _surviving("heartbeat failed"):
                await self._executor.beat()
                await self._executor.take_over(self._recover)

    async def _recover(self, dead: Sequence[str]) -> Sequence[str]:
        jobs = await asyncio.to_thread(recover, dead)
        if jobs:
            log.warning("recovering jobs of executors that stopped", executors=dead, jobs=jobs)
        return jobs


@contextmanager
def _surviving(what: str) -> Generator[None]:
    """Log an error and go on: what runs as long as the worker does outlives a lost database."""
    try:
        yield
    except Exception as error:
        log.error(what, exc_info=error)
