"""`SandboxSession`: a sandbox that keeps its state from one step to the next, as a notebook does."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from raptorflow.core.tasks import end_tasks, to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.agent.files import Entry, get, names, put
from raptorflow.sandbox.driver import CanPause, Usage
from raptorflow.sandbox.errors import (
    SandboxGone,
    SandboxSpecInvalid,
    SandboxStartFailed,
    SandboxUnavailable,
)
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.sessions.beside import Beside, beside_program
from raptorflow.sandbox.sessions.console import Console, Hurried
from raptorflow.sandbox.sessions.errors import CellTooLarge, SandboxCannotPause, SandboxPaused
from raptorflow.sandbox.sessions.interpreter import interpreter_program
from raptorflow.sandbox.sessions.lifetime import Lifetime, Ticks
from raptorflow.sandbox.sessions.notes import Notes
from raptorflow.sandbox.sessions.result import CellError, CellResult
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.sessions.telling import ENDED
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import WORK, SandboxSpec

log = logger(__name__)

MOST_ENTRIES, MOST_LEVELS = 10_000, 32
WRITABLE = 0o644
# How much more rarely usage is looked at while nothing that was asked for runs.
IDLE_FACTOR = 10
CLOSED = "The session was closed."
Release = Callable[[], Awaitable[object]]


class SandboxSession:
    """Made by `SandboxSessions.open`. Whoever has it closes it, or it ends when its time is up.

    Cells wait for each other; programs and files do not wait for cells.

    Args:
        sandbox: nothing has run in it yet.
        spec: whose session it is.
        settings: of the sandbox room.
        sessions: how long it may last.
        ticks: the clock that it lives by.
        notes: what it does is written there.
    """

    def __init__(
        self,
        sandbox: LiveSandbox,
        spec: SandboxSpec,
        settings: SandboxSettings,
        sessions: SessionSettings,
        ticks: Ticks,
        notes: Notes,
    ) -> None:
        self._sandbox, self._spec, self._notes = sandbox, spec, notes
        self._settings, self._sessions = settings, sessions
        self._console = Console(sandbox, interpreter_program(spec, settings), sessions)
        self._turn = asyncio.Lock()
        self._life = Lifetime(sessions.max_seconds, sessions.idle_seconds, ticks)
        self._number = 0
        self._in_use = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._beside: set[Beside] = set()
        self._pausing = self._paused = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None] | None = None
        self._release: Release = sandbox.destroy
        self.ended: str | None = None

    async def begin(self, release: Release) -> None:
        """Start its interpreter and its clocks.

        Args:
            release: gives back all that it holds, its sandbox included; called once, at its end.

        Raises:
            SandboxStartFailed: its interpreter does not start; nothing is left.
        """
        self._release = release
        try:
            await self._console.start()
        except BaseException as error:
            await self.close("Its interpreter did not start.")
            if isinstance(error, SandboxGone):
                raise SandboxStartFailed(error.message) from error
            raise
        self._tasks = [asyncio.create_task(self._watch_clock()), asyncio.create_task(self._watch_usage())]

    async def execute(self, code: str, *, seconds: float | None = None) -> CellResult:
        """Run a cell, with what earlier ones have left. Cancelling it interrupts the cell.

        Args:
            code: Python; it may `await` at its top level. The value of a last line that is an expression is
                shown.
            seconds: how long it may run; the spec's `timeout_seconds` at most, and when not given.

        Raises:
            CellTooLarge: the code is longer than it may be.
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended; the message says why.
        """
        content = code.encode("utf-8", "backslashreplace")
        if len(content) > self._sessions.max_code_bytes:
            raise CellTooLarge(
                f"The cell has {len(content)} bytes, at most {self._sessions.max_code_bytes} are taken."
            )
        async with self._turn, self._use():
            hurried: Hurried = asyncio.get_running_loop().create_future()
            running = asyncio.ensure_future(self._cell(content, self._seconds(seconds), hurried))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                hurried.set_result(None)
                await _finished(running)
                raise

    async def interrupt(self) -> bool:
        """Raise `KeyboardInterrupt` in the running cell; whether there is one.

        Raises:
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        self._check()
        return await self._console.interrupt()

    async def run(self, command: Sequence[str], *, seconds: float | None = None) -> SandboxResult:
        """Run a program beside the interpreter, in `/workspace`, with nothing on its standard input.

        What it leaves running is ended with it. A reset, or a cell that costs its interpreter, ends it too.
        Memory is one limit for all that runs inside: over it, everything is ended.

        Args:
            command: the program and its arguments, read as a run's are.
            seconds: as for a cell.

        Raises:
            SandboxSpecInvalid: the command makes no sense.
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        if not command or not command[0] or any("\0" in part for part in command):
            raise SandboxSpecInvalid("The command names no program, or contains a NUL character.")
        async with self._use():
            program = beside_program(self._spec, command, self._settings)
            beside = Beside(self._sandbox, self._sessions)
            self._beside.add(beside)
            try:
                result = await beside.through(program, self._seconds(seconds))
            except asyncio.CancelledError:
                await self._notes.cancelled()
                raise
            finally:
                self._beside.discard(beside)
            await self._notes.program(command, result)
            return result

    async def put(self, path: str, content: bytes) -> None:
        """Make a new file; a path that does not begin with `/` is below `/workspace`.

        Raises:
            FileRefused: it is there already, there is no room, or a link is in its path.
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        async with self._use():
            await put(self._sandbox.link, _placed(path), [content], WRITABLE)
            await self._notes.came_in(path, len(content))

    async def get(self, path: str) -> bytes:
        """A file's content.

        Raises:
            FileRefused: there is no such regular file, or it is larger than an artefact may be.
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        async with self._use():
            most = self._settings.max_artifact_bytes
            content = b"".join([chunk async for chunk in get(self._sandbox.link, _placed(path), most)])
            await self._notes.went_out(path, len(content))
            return content

    async def list(self, path: str = "", *, levels: int = 1) -> tuple[Entry, ...]:
        """What lies in a folder, or down to so many levels below it.

        Raises:
            FileRefused: there is no such folder.
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        async with self._use():
            deep = min(levels, MOST_LEVELS)
            return tuple(await names(self._sandbox.link, _placed(path), most=MOST_ENTRIES, levels=deep))

    async def pause(self) -> None:
        """Stop everything inside once what was asked for is over; memory is kept.

        Whoever is cancelled meanwhile may have paused it: `resume` lets it go on in any case.

        Raises:
            SandboxCannotPause: this driver cannot.
            SandboxGone: the session has ended.
        """
        driver = self._pauser()
        async with self._turn:
            # Others that kept coming would be waited for for ever.
            self._pausing = True
            try:
                await self._unused.wait()
                self._check_alive()
                if not self._paused:
                    await to_the_end(self._pause(driver))
            finally:
                self._pausing = False

    async def resume(self) -> None:
        """Let everything inside go on.

        Raises:
            SandboxCannotPause: this driver cannot.
            SandboxGone: the session has ended.
        """
        driver = self._pauser()
        async with self._turn:
            self._check_alive()
            if self._paused:
                await to_the_end(self._resume(driver))

    async def reset(self) -> None:
        """End every program inside and start a new interpreter; files stay. A running cell is waited for.

        Raises:
            SandboxPaused: the session is paused.
            SandboxGone: the session has ended.
        """
        async with self._turn, self._use():
            await to_the_end(self._reset())

    async def close(self, why: str = CLOSED) -> None:
        """End it, and everything inside. Doing it again does nothing; the first reason counts."""
        await asyncio.shield(self._begin_end(why))

    async def _pause(self, driver: CanPause) -> None:
        # Said before it is so: nothing may be asked for in between.
        self._paused = True
        self._life.begin_use()
        try:
            await driver.pause(self._sandbox.handle)
        except SandboxGone as error:
            raise await self._gone(error.message) from error
        except Exception:
            # It may have stopped some, or all.
            with suppress(SandboxGone, SandboxUnavailable):
                await self._resume(driver)
            raise

    async def _resume(self, driver: CanPause) -> None:
        await driver.resume(self._sandbox.handle)
        self._paused = False
        self._life.end_use()

    async def _reset(self) -> None:
        try:
            await self._console.reset()
        except SandboxStartFailed as error:
            raise await self._gone(error.message) from error

    def _begin_end(self, why: str) -> asyncio.Task[None]:
        self.ended = self.ended or why
        self._ending = self._ending or asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        log.info("sandbox session ended", sandbox_run=self._spec.run_id, why=self.ended, cells=self._number)
        try:
            await self._release()
        finally:
            await end_tasks(self._tasks)
            await self._console.close()

    async def _cell(self, content: bytes, seconds: float, hurried: Hurried) -> CellResult:
        if self._number >= self._sessions.max_cells:
            raise await self._gone(f"The session has run the {self._number} cells that one may run.")
        self._number += 1
        try:
            result = await self._console.execute(self._number, content, seconds, hurried)
        except SandboxStartFailed as error:
            raise await self._gone(error.message) from error
        await self._notes.cell(content, result)
        if result.status == "gone":
            why = (await self._gone(result.message or CLOSED)).message
            return replace(result, error=CellError(ENDED, why), message=why)
        if self._console.failed:
            await self.close(self._console.failed)
        return result

    @asynccontextmanager
    async def _use(self) -> AsyncGenerator[None]:
        """It is in use; what finds the sandbox gone ends the session.

        Raises:
            SandboxGone: the session has ended.
            SandboxPaused: it is paused.
            AuditUnavailable: what happens could not be written down.
        """
        self._check()
        self._notes.check()
        self._life.begin_use()
        self._in_use += 1
        self._unused.clear()
        try:
            yield
        except SandboxGone as error:
            raise await self._gone(error.message) from error
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._unused.set()
            self._life.end_use()

    def _check(self) -> None:
        self._check_alive()
        if self._paused or self._pausing:
            raise SandboxPaused("The session is paused.")

    def _check_alive(self) -> None:
        if self.ended:
            raise SandboxGone(self.ended)

    async def _gone(self, why: str) -> SandboxGone:
        """End it; the error for whoever asked."""
        await self.close(why)
        return SandboxGone(self.ended or why)

    def _pauser(self) -> CanPause:
        driver = self._sandbox.driver
        if not isinstance(driver, CanPause):
            raise SandboxCannotPause(f"Sandboxes of the {driver.name} driver cannot be paused.")
        return driver

    def _seconds(self, asked: float | None) -> float:
        most = self._spec.limits.timeout_seconds
        return most if asked is None else max(0.0, min(asked, most))

    async def _watch_clock(self) -> None:
        self._begin_end(await self._life.over())

    async def _watch_usage(self) -> None:
        """See from outside what is used, and end what is over a limit, also between cells."""
        while self.ended is None:
            seconds = self._settings.watch_seconds
            await asyncio.sleep(seconds if self._in_use else seconds * IDLE_FACTOR)
            try:
                self._look(await self._sandbox.usage())
            except Exception as error:
                # What nobody watches must not go on.
                self._begin_end(f"What the session uses cannot be seen: {error}")

    def _look(self, usage: Usage) -> None:
        if usage.over:
            for beside in self._beside:
                beside.end(usage.over)
        if not self._paused:
            self._console.look(usage)


async def _finished(task: asyncio.Future[CellResult]) -> None:
    """Wait for what must not be left half done, also while being cancelled again."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    await asyncio.gather(task, return_exceptions=True)


def _placed(path: str) -> str:
    return path if path.startswith("/") else f"{WORK}/{path}"
