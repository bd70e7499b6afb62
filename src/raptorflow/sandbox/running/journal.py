"""What happens to sandboxes, written to the audit log on the host, where no guest can reach it."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import canonical
from raptorflow.core.tasks import end_tasks, to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.records import (
    Created,
    Destroyed,
    Entry,
    Executed,
    FileMoved,
    Killed,
    LimitHit,
    Refused,
    Subject,
)
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.errors import SandboxGuaranteeMissing
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.decided import egress_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.supply import Path as CameBy
from raptorflow.sandbox.spec import SandboxSpec

log = logger(__name__)

LIMITS = {"timeout", "oom", "disk_full", "pids", "output_limit"}


@dataclass(frozen=True)
class Place:
    """Where a program runs: which kind of sandbox, and which one."""

    driver: str
    sandbox_id: str


def place_of(sandbox: LiveSandbox) -> Place:
    """Where what runs in a sandbox is."""
    return Place(sandbox.driver.name, sandbox.handle.sandbox_id)


class Journal:
    """Writes to a log, where there is one.

    Args:
        log: the audit log; None where nobody asked for one (a developer's own runs).
    """

    def __init__(self, log: AuditLog | None) -> None:
        self._log = log
        self._adding: set[asyncio.Task[None]] = set()

    def check(self) -> None:
        """Verify that what happens is being written; nothing is run otherwise.

        Raises:
            AuditUnavailable: it is not.
        """
        if self._log:
            self._log.check()

    async def refused(self, spec: SandboxSpec, error: RaptorFlowError) -> None:
        """A run was not given a sandbox."""
        guarantees: Sequence[str] = ()
        if isinstance(error, SandboxGuaranteeMissing):
            guarantees = error.details.get("guarantees", ())
        entry = Refused(code=error.code, guarantees=tuple(guarantees))
        try:
            await self._add(_subject_as_far_as_valid(spec), entry)
        except AuditUnavailable as trouble:
            # Whoever asked is to hear why it was refused.
            log.error("a refusal was not written down", code=error.code, error=trouble.message)

    async def created(self, spec: SandboxSpec, place: Place, came_by: CameBy, took_ms: float) -> None:
        """A sandbox was built, or taken from those kept ready."""
        policy = spec.reach.digest().removeprefix("sha256:")
        entry = Created(driver=place.driver, path=came_by, took_ms=took_ms, policy=policy)
        await self.add(spec, place, entry)
        for name, file in spec.inputs.items():
            await self.add(spec, place, FileMoved(direction="in", name=name, size=file.stat().st_size))

    async def ran(self, spec: SandboxSpec, place: Place, result: SandboxResult) -> None:
        """A program ended, for a limit or by itself, and left files."""
        await self.executed(spec, place, executed_of(spec.command, result), forced=result.exit_code is None)
        for artifact in result.artifacts:
            moved = FileMoved(direction="out", name=artifact.name, size=artifact.size, sha256=artifact.sha256)
            await self.add(spec, place, moved)

    async def executed(self, spec: SandboxSpec, place: Place, entry: Executed, *, forced: bool) -> None:
        """A program, or a cell, ended.

        Args:
            spec: whose it was.
            place: where it ran.
            entry: how it ended.
            forced: whether it was ended, if it was for a limit; or else it noticed the limit itself.
        """
        await self.add(spec, place, entry)
        if entry.status in map(code_of, LIMITS):
            await self.add(spec, place, LimitHit(limit=entry.status))
            if forced:
                await self.add(spec, place, Killed(reason=entry.status))

    async def cancelled(self, spec: SandboxSpec, place: Place) -> None:
        """Nobody waits for a program any more: it is ended. Whoever is being cancelled may await this."""
        await to_the_end(self.add(spec, place, Killed(reason="cancelled")))

    async def destroyed(self, spec: SandboxSpec, place: Place, lived_ms: float) -> None:
        """A sandbox was removed; what the broker decided for it stands before that."""
        if self._adding:
            await asyncio.wait(tuple(self._adding))
        await self.add(spec, place, Destroyed(reason="used", lived_ms=lived_ms))

    async def add(self, spec: SandboxSpec, place: Place | None, entry: Entry) -> None:
        """Something else happened to a run or a session."""
        await self._add(_subject(spec, place), entry)

    def decided(self, decision: Decision) -> None:
        """The broker decided; it lets nothing pass that cannot be written down.

        What is denied, and what ended, is kept as long as there is room, also while the disk takes nothing.

        Raises:
            AuditUnavailable: it is to be allowed, and cannot be written.
        """
        if self._log is None:
            return
        binding = decision.allowed and decision.stage == "decided"
        if binding:
            self.check()
        who = decision.who
        subject = Subject(
            sandbox=who.sandbox_id, run=who.run_id, tenant=who.tenant or None, skill=who.skill or None
        )
        task = asyncio.create_task(self._log.add(subject, egress_of(decision, binding=binding)))
        self._adding.add(task)
        task.add_done_callback(self._added)

    async def close(self) -> None:
        """Write what is left."""
        if self._adding:
            await asyncio.wait(tuple(self._adding), timeout=1)
        await end_tasks(tuple(self._adding))
        if self._log:
            await self._log.close()

    def _added(self, task: asyncio.Task[None]) -> None:
        self._adding.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a decision of the broker was not written down", error=str(error))

    async def _add(self, subject: Subject, entry: Entry) -> None:
        if self._log:
            await self._log.add(subject, entry)


def _subject(spec: SandboxSpec, place: Place | None) -> Subject:
    return Subject(
        sandbox=place.sandbox_id if place else None,
        run=spec.run_id,
        tenant=spec.tenant or None,
        skill=spec.skill or None,
    )


def _subject_as_far_as_valid(spec: SandboxSpec) -> Subject:
    """Of what was refused, perhaps because of this."""
    try:
        return _subject(spec, None)
    except ValidationError as error:
        wrong = {str(part["loc"][0]) for part in error.errors()}
        fields = {"run": spec.run_id, "tenant": spec.tenant or None, "skill": spec.skill or None}
        return Subject(**{name: value for name, value in fields.items() if name not in wrong})


def executed_of(command: Sequence[str], result: SandboxResult) -> Executed:
    """The record of a program's end."""
    return Executed(
        program=command[0],
        arguments=hashlib.sha256(canonical(list(command[1:]))).hexdigest(),
        status=code_of(result.status),
        exit_code=result.exit_code,
        wall_ms=result.wall_ms,
        cpu_ms=result.cpu_ms,
        peak_memory_bytes=result.peak_memory_bytes,
        stdout_bytes=result.stdout_bytes,
        stderr_bytes=result.stderr_bytes,
        stdout=result.stdout_sha256,
    )


def code_of(status: str) -> str:
    """How a status is written down."""
    return status.replace("_", "-")
