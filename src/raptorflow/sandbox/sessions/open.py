"""`SandboxSessions`: opens sessions, knows how many there are, and ends them all."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from prometheus_client import Gauge

from raptorflow.sandbox.agent.files import chunks, put
from raptorflow.sandbox.driver import SandboxDriver
from raptorflow.sandbox.errors import SandboxBusy, SandboxGone
from raptorflow.sandbox.pool.admission import LONGEST_RETRY_SECONDS
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.journal import Journal, place_of
from raptorflow.sandbox.running.live import LiveSandbox, new_sandbox_id, start
from raptorflow.sandbox.sessions.lifetime import Ticks
from raptorflow.sandbox.sessions.notes import Notes
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import INPUTS, SandboxSpec

NO_MORE = "No more sessions are opened."
OPEN = Gauge("raptorflow_sandbox_sessions_open", "Sessions that hold a sandbox")
Lent = tuple[LiveSandbox, SandboxSpec]
# A sandbox of its own for a spec, with all that a run's has (a place, a way out), and the spec for inside.
Build = Callable[[SandboxSpec], AbstractAsyncContextManager[Lent]]


class SandboxSessions:
    """Every session of a manager.

    Of a spec it uses the skill, the environment, the interpreter, `env`, `inputs`, `reach`, `tenant`,
    `run_id` and `limits`; `timeout_seconds` is the most for each cell. Its command, standard input and folder
    for artefacts are not used.

    Args:
        build: makes the sandboxes.
        settings: of the sandbox room.
        sessions: how many there may be, and how long each may last.
        ticks: the clock that they live by.
        journal: what they do is written there; nowhere when not given.
    """

    def __init__(
        self,
        build: Build,
        settings: SandboxSettings,
        sessions: SessionSettings,
        ticks: Ticks | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._build = build
        self._journal = journal or Journal(None)
        self._settings, self._sessions = settings, sessions
        self._ticks = ticks or Ticks()
        self._open: set[SandboxSession] = set()
        self._tenants: dict[SandboxSession, str] = {}
        self._opening: Counter[str] = Counter()
        self._closed = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    async def open(self, spec: SandboxSpec) -> SandboxSession:
        """A new session, with its inputs in place and its interpreter started. Whatever fails leaves nothing.

        Raises:
            SandboxSpecInvalid: what was asked for makes no sense.
            SandboxBusy: too many are open, of all or of this organisation; `details` says how many, and when
                to come back.
            SandboxGone: all of them are being ended.
            SandboxStartFailed: the sandbox, or the interpreter in it, does not start.
            FileRefused: an input does not fit.
        """
        spec.check(
            max_input_bytes=self._settings.max_input_bytes,
            max_input_files_bytes=self._settings.max_input_files_bytes,
        )
        if self._closed:
            raise SandboxGone(NO_MORE)
        self._check_room(spec.tenant)
        self._opening[spec.tenant] += 1
        try:
            return await self._opened(spec)
        finally:
            self._opening -= Counter({spec.tenant: 1})

    async def close(self) -> None:
        """End all of them; no more are opened."""
        self._closed = True
        await asyncio.gather(*(session.close() for session in list(self._open)))

    def _check_room(self, tenant: str) -> None:
        most, cap = self._sessions.max_open, self._sessions.open_cap()
        held = len(self._tenants) + self._opening.total()
        if held >= most:
            raise self._busy("all", f"{most} sessions are open, and there may be no more.", "MAX_OPEN")
        if list(self._tenants.values()).count(tenant) + self._opening[tenant] >= cap:
            message = f"{cap} sessions of this organisation are open, and it may have no more."
            raise self._busy("tenant", message, "TENANT_OPEN")

    def _busy(self, reason: str, message: str, setting: str) -> SandboxBusy:
        """When a session is closed is for its owner to say; one that nobody uses is ended after a while."""
        details = {
            "reason": reason,
            "running": len(self._tenants) + self._opening.total(),
            "waiting": 0,
            "retry_after_seconds": math.ceil(min(LONGEST_RETRY_SECONDS, self._sessions.idle_seconds)),
        }
        hint = f"Close a session, or raise RAPTORFLOW_SANDBOX__SESSIONS__{setting}."
        return SandboxBusy(message, hint=hint, details=details)

    async def _opened(self, spec: SandboxSpec) -> SandboxSession:
        async with AsyncExitStack() as stack:
            sandbox, inside = await stack.enter_async_context(self._build(lasting(spec, self._sessions)))
            if sandbox.waiting:
                await sandbox.waiting.leave(sandbox.link)
            for name, path in spec.inputs.items():
                await put(sandbox.link, f"{INPUTS}/{name}", chunks(path))
            told = replace(inside, limits=spec.limits)
            notes = Notes(self._journal, spec, place_of(sandbox))
            session = SandboxSession(sandbox, told, self._settings, self._sessions, self._ticks, notes)
            self._open.add(session)
            OPEN.inc()
            await session.begin(partial(self._release, session, stack.pop_all()))
            if session in self._open:
                self._tenants[session] = spec.tenant
        if self._closed:
            await session.close()
            raise SandboxGone(session.ended or NO_MORE)
        return session

    async def _release(self, session: SandboxSession, held: AsyncExitStack) -> None:
        try:
            await held.aclose()
        finally:
            self._open.discard(session)
            self._tenants.pop(session, None)
            OPEN.dec()


def lasting(spec: SandboxSpec, sessions: SessionSettings) -> SandboxSpec:
    """The spec for a sandbox that lives as long as a session: where processor time is limited, by that."""
    limits = spec.limits.model_copy(update={"timeout_seconds": sessions.max_seconds})
    return replace(spec, limits=limits)


def built_by(driver: SandboxDriver, settings: SandboxSettings) -> Build:
    """Sandboxes straight from a driver, without a way out."""

    @asynccontextmanager
    async def build(spec: SandboxSpec) -> AsyncGenerator[Lent]:
        labels = {"session": spec.run_id}
        sandbox = await start(driver, blueprint_of(spec), new_sandbox_id(), labels, settings.start_seconds)
        try:
            yield sandbox, spec
        finally:
            await sandbox.destroy()

    return build
