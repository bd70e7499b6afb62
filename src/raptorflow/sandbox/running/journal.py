"""What happens to sandboxes, written to the audit log on the host, where no guest can reach it."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import canonical
from raptorflow.core.tasks import end_tasks
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.records import (
    Created,
    Destroyed,
    Egress,
    Entry,
    Executed,
    FileMoved,
    LimitHit,
    Refused,
    Subject,
)
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.errors import SandboxGuaranteeMissing
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.supply import Path as CameBy
from raptorflow.sandbox.spec import SandboxSpec

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
        await self.add(spec, None, Refused(code=error.code, guarantees=tuple(guarantees)))

    async def created(self, spec: SandboxSpec, place: Place, came_by: CameBy, took_ms: float) -> None:
        """A sandbox was built, or taken from those kept ready."""
        policy = spec.reach.digest().removeprefix("sha256:")
        entry = Created(driver=place.driver, path=came_by, took_ms=took_ms, policy=policy)
        await self.add(spec, place, entry)
        for name, file in spec.inputs.items():
            await self.add(spec, place, FileMoved(direction="in", name=name, size=file.stat().st_size))

    async def ran(self, spec: SandboxSpec, place: Place, result: SandboxResult) -> None:
        """A program ended, for a limit or by itself, and left files."""
        await self.add(spec, place, _executed(spec, result))
        if result.status in LIMITS:
            await self.add(spec, place, LimitHit(limit=code_of(result.status)))
        for artifact in result.artifacts:
            moved = FileMoved(direction="out", name=artifact.name, size=artifact.size, sha256=artifact.sha256)
            await self.add(spec, place, moved)

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

        Raises:
            AuditUnavailable: the log cannot be written.
        """
        self.check()
        task = asyncio.create_task(self._decided(decision))
        self._adding.add(task)
        task.add_done_callback(self._adding.discard)

    async def close(self) -> None:
        """Write what is left."""
        if self._adding:
            await asyncio.wait(tuple(self._adding), timeout=1)
        await end_tasks(tuple(self._adding))
        if self._log:
            await self._log.close()

    async def _decided(self, decision: Decision) -> None:
        who = decision.who
        subject = Subject(
            sandbox=who.sandbox_id, run=who.run_id, tenant=who.tenant or None, skill=who.skill or None
        )
        entry = Egress(
            decision="allowed" if decision.allowed else "denied",
            host=_host(decision.host),
            port=decision.port,
            address=decision.address,
            rule=decision.rule,
            secret=decision.rule if decision.kind == "secret" and decision.allowed else None,
            reason=decision.reason,
            bytes_up=decision.bytes_up,
            bytes_down=decision.bytes_down,
            took_ms=decision.ms,
        )
        await self._add(subject, entry)

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


def _executed(spec: SandboxSpec, result: SandboxResult) -> Executed:
    return Executed(
        program=spec.command[0],
        arguments=hashlib.sha256(canonical(list(spec.command[1:]))).hexdigest(),
        status=code_of(result.status),
        exit_code=result.exit_code,
        wall_ms=result.wall_ms,
        cpu_ms=result.cpu_ms,
        peak_memory_bytes=result.peak_memory_bytes,
        stdout_bytes=result.stdout_bytes,
        stderr_bytes=result.stderr_bytes,
        stdout=result.stdout_sha256,
    )


def _host(host: str) -> str:
    """A name as it was sent may be anything; what is none is not written down."""
    safe = "".join(char for char in host if char.isascii() and (char.isalnum() or char in "_.:[]-"))
    return safe[:255]


def code_of(status: str) -> str:
    """How a status is written down."""
    return status.replace("_", "-")
