"""`RunWorker`: takes runs, plays their turns, keeps their leases, and goes on with what dead workers left."""

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog
from pydantic_ai.models import Model
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from raptorflow.base.clock import Stopwatch
from raptorflow.base.ids import new_id
from raptorflow.core.errors import DatabaseUnavailable
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger, tracer
from raptorflow.orchestrator.errors import JournalUnavailable, LeaseLost
from raptorflow.orchestrator.language_models.asking import Asker, Asks
from raptorflow.orchestrator.language_models.choice import ModelChoice
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.language_models.direct import DirectModel
from raptorflow.orchestrator.metrics import RUN_SECONDS, RUNS, RUNS_ACTIVE, RUNS_RESUMED
from raptorflow.orchestrator.ports import ActionRunner, SkillSource
from raptorflow.orchestrator.runs.journal import Journal
from raptorflow.orchestrator.runs.live import LiveRun
from raptorflow.orchestrator.runs.records import TakenRun
from raptorflow.orchestrator.runs.repository import RunsRepository
from raptorflow.orchestrator.runs.turn import Step, Turn
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.streams.channels import CANCEL, QUEUE
from raptorflow.orchestrator.streams.publisher import Publisher
from raptorflow.orchestrator.tools.actions import Actions
from raptorflow.orchestrator.tools.toolbox import Toolbox

log = logger(__name__)
spans = tracer(__name__)

_AWAY = (DatabaseUnavailable, SQLAlchemyError, OSError)
TROUBLE_SECONDS = 1.0
"""The pause after PostgreSQL or Valkey did not answer."""


@dataclass(frozen=True)
class Abilities:
    """What a worker can do.

    Attributes:
        skills: the installed skills.
        sandbox: what runs their actions.
        model: the language model of organisations that have chosen none.
        python: the interpreter inside sandboxes, which skills' environments are built on.
        connector: reaches the models that organisations have chosen.
    """

    skills: SkillSource
    sandbox: ActionRunner
    model: Model
    python: Path
    connector: Connector | None = None


@dataclass
class _Active:
    turn: Turn
    task: asyncio.Task[None]


class RunWorker:
    """Plays turns, several at a time.

    Args:
        orchestrator: the facade that accepts the turns; its parts and settings are the worker's. Without
            Valkey the worker goes on, slower.
        abilities: skills, sandbox and model.
    """

    def __init__(self, orchestrator: AgentOrchestrator, abilities: Abilities) -> None:
        settings = orchestrator.settings
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self._database = orchestrator.database
        self._valkey = orchestrator.valkey
        self._settings = settings
        self._abilities = abilities
        self._models = ModelChoice(Asker(abilities.model, settings), abilities.connector)
        self._actions = Actions(abilities.sandbox, orchestrator.store, abilities.python, settings.policy)
        self._journal = Journal(self._database, self.owner)
        self._publisher = Publisher(self._valkey, settings)
        self._active: dict[UUID, _Active] = {}
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to take runs."""
        loops = (self._take_runs, self._keep_leases, self._hear_cancels)
        self._tasks = [asyncio.create_task(loop()) for loop in loops]
        log.info("worker started", owner=self.owner, concurrency=self._settings.concurrency)

    async def stop(self) -> None:
        """Take no more; let the turns end within the drain time, and give back those that do not."""
        taking, keeping, hearing = self._tasks
        await end_tasks([taking, hearing])
        tasks = [active.task for active in self._active.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.drain_seconds)
        left = dict(self._active)
        await end_tasks([active.task for active in left.values()])
        await end_tasks([keeping])
        if left:
            await self._give_back(list(left))
        await self._publisher.drain()
        log.info("worker stopped", owner=self.owner, given_back=len(left))

    async def _take_runs(self) -> None:
        while True:
            await self._room.wait()
            try:
                await self._take(await self._wait_for_work())
            except _AWAY as error:
                log.error("no runs taken", error=str(error))
                await asyncio.sleep(TROUBLE_SECONDS)

    async def _wait_for_work(self) -> int:
        """How many runs to take: those announced, or, after a quiet while, as many as there is room for."""
        room = self._settings.concurrency - len(self._active)
        try:
            call = await self._valkey.blpop([QUEUE], self._settings.poll_seconds)
            if call is None:
                return room
            more = await self._valkey.lpop(QUEUE, room - 1) if room > 1 else None
        except (RedisError, OSError) as error:
            log.warning("no wake-up calls", error=str(error))
            await asyncio.sleep(self._settings.poll_seconds)
            return room
        return 1 + len(more or ())

    async def _take(self, limit: int) -> None:
        """Take runs and commit the beginning of their first steps, all in one transaction."""
        settings = self._settings
        async with self._database.system_session() as session:
            repository = RunsRepository(session, self.owner)
            taken = await repository.take(limit, settings.lease_seconds, settings.history_turns)
            turns = [(run, self._turn(run)) for run in taken]
            openings = [turn.opening() for _, turn in turns]
            if openings:
                await repository.commit([boundary for boundary, _ in openings])
        for (run, turn), (boundary, step) in zip(turns, openings, strict=True):
            turn.opened(boundary)
            self._begin(run, turn, step)

    def _turn(self, run: TakenRun) -> Turn:
        live = LiveRun(run.ref, self._publisher, run.attempt, self._settings.delta_seconds)
        toolbox = Toolbox(run, self._abilities.skills, self._actions, self._settings.max_active_skills)
        return Turn(run, self._journal, live, self._asker_of(run), toolbox, self._settings)

    def _asker_of(self, run: TakenRun) -> Asks:
        """Who decides what a run does next: the model, and in a trial the call that it is about."""
        return Asker(DirectModel(run.call), self._settings) if run.call else self._models.asker(run)

    def _begin(self, run: TakenRun, turn: Turn, step: Step) -> None:
        task = asyncio.create_task(self._play(run, turn, step))
        self._active[run.ref.run_id] = _Active(turn, task)
        RUNS_ACTIVE.inc()
        if run.attempt > 1:
            RUNS_RESUMED.inc()
        if len(self._active) >= self._settings.concurrency:
            self._room.clear()

    async def _play(self, run: TakenRun, turn: Turn, step: Step) -> None:
        run_id = run.ref.run_id
        structlog.contextvars.bind_contextvars(run_id=str(run_id))
        watch, status = Stopwatch(), "lost"
        try:
            with spans.start_as_current_span("invoke_agent raptorflow") as span:
                span.set_attribute("gen_ai.operation.name", "invoke_agent")
                span.set_attribute("gen_ai.conversation.id", str(run.ref.session_id))
                status = await turn.play(step)
        except (LeaseLost, JournalUnavailable) as error:
            # What was not committed did not happen; a worker goes on from there when the lease has run out.
            log.warning("run left to its lease", error=error.message)
        except _AWAY as error:
            log.error("run left to its lease", exc_info=error)
        finally:
            self._active.pop(run_id, None)
            self._room.set()
            RUNS_ACTIVE.dec()
            RUNS.labels(status).inc()
            RUN_SECONDS.labels(status).observe(watch.elapsed_ms() / 1000)
        if turn.more_waiting:
            self._publisher.wake_worker(run_id)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            ids = list(self._active)
            if not ids:
                continue
            try:
                async with self._database.system_session() as session:
                    repository = RunsRepository(session, self.owner)
                    held = await repository.heartbeat(ids, self._settings.lease_seconds)
            except _AWAY as error:
                log.error("leases not kept", error=str(error))
                continue
            for run_id in ids:
                self._heed(run_id, held.get(run_id))

    def _heed(self, run_id: UUID, cancel: bool | None) -> None:
        """Act on what the heartbeat found: None is a lost lease, or a deleted run."""
        active = self._active.get(run_id)
        if active and cancel is not False:
            active.turn.cancel()

    async def _hear_cancels(self) -> None:
        while True:
            try:
                async with self._valkey.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CANCEL)
                    async for message in channel.listen():
                        self._cancel(str(message["data"]))
            except (RedisError, OSError) as error:
                log.warning("cancellations not heard", error=str(error))
                await asyncio.sleep(TROUBLE_SECONDS)

    def _cancel(self, run_id: str) -> None:
        active = next((a for known, a in self._active.items() if str(known) == run_id), None)
        if active:
            active.turn.cancel()

    async def _give_back(self, run_ids: list[UUID]) -> None:
        try:
            async with self._database.system_session() as session:
                released = await RunsRepository(session, self.owner).release(run_ids)
        except _AWAY as error:
            log.warning("runs left to their leases", count=len(run_ids), error=str(error))
            return
        for run_id in released:
            self._publisher.wake_worker(run_id)
