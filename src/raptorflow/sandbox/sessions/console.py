"""Cells one after the other in an interpreter that is replaced when it is lost."""

import asyncio
from contextlib import suppress

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.agent.programs import Program, end_all
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.sessions.cell import Cell, Ending
from raptorflow.sandbox.sessions.freed import freed
from raptorflow.sandbox.sessions.interpreter import Interpreter
from raptorflow.sandbox.sessions.result import CellResult
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.sessions.telling import Story, explained, told

# What an agent may take to end the programs inside before the sandbox is given up.
STOP_SECONDS = 5.0
Hurried = asyncio.Future[None]


class Console:
    """The interpreter of a session, and the one after it.

    Args:
        sandbox: where it runs.
        program: starts it.
        settings: times and sizes.

    Attributes:
        failed: the sentence about why there can be no interpreter any more; None while there can.
    """

    def __init__(self, sandbox: LiveSandbox, program: Program, settings: SessionSettings) -> None:
        self._sandbox = sandbox
        self._limits = sandbox.blueprint.limits
        self._program = program
        self._settings = settings
        self._interpreter: Interpreter | None = None
        self._cell: Cell | None = None
        self._killed = 0
        self._replacing = False
        self.failed: str | None = None

    async def start(self) -> None:
        """Start an interpreter.

        Raises:
            SandboxStartFailed: it does not start.
            SandboxGone: the sandbox has ended.
        """
        seconds = self._settings.start_seconds
        interpreter = Interpreter(self._sandbox.link, self._settings.kept_bytes, self._limits.output_bytes)
        self._interpreter = interpreter
        await interpreter.begin(self._program)
        await asyncio.wait({interpreter.ready}, timeout=seconds)
        if interpreter.lost or not interpreter.ready.done():
            why = interpreter.lost or f"It was not ready after {seconds:g} s."
            raise SandboxStartFailed(f"The interpreter does not start. {why}")

    async def execute(self, number: int, code: bytes, seconds: float, hurried: Hurried) -> CellResult:
        """Run a cell to its end, whatever that is.

        Args:
            number: of the execution.
            code: what to run.
            seconds: how long it may run.
            hurried: resolves when nobody waits for it any more: its time is up then, also before it began.

        Raises:
            SandboxStartFailed: a new interpreter was needed before it, and did not start.
            SandboxGone: the sandbox had ended before.
        """
        former = await self._revive()
        interpreter = self._interpreter
        if interpreter is None:
            raise SandboxGone("The sandbox is gone: it has no interpreter.")
        self._cell = cell = interpreter.cell(number)
        wall = Stopwatch()
        late = await self._attend(interpreter, (cell, code), seconds, hurried)
        wall_ms = wall.elapsed_ms()
        self._cell = None
        why = await self._judged(cell)
        words = explained(why, self._limits, seconds) or interpreter.lost
        anew = why not in {"told", "gone"} and await self._replaced()
        return told(cell, Story(why, words, former, anew, seconds if late else None, wall_ms))

    async def interrupt(self) -> bool:
        """Interrupt the running cell; whether there is one."""
        if not self._cell or not self._interpreter:
            return False
        await self._interpreter.interrupt(self._cell)
        return True

    def look(self, usage: Usage) -> None:
        """End everything inside when a limit is passed; the next interpreter is started when it is needed.

        What the kernel has ended for lack of memory is judged only if it was the interpreter.
        """
        if self._cell is None:
            self._killed = usage.out_of_memory
        if usage.over and self._interpreter and not self._replacing:
            self._interpreter.lose(explained(usage.over, self._limits, 0) or "", usage.over)

    async def reset(self) -> None:
        """A new interpreter in place of this one.

        Raises:
            SandboxStartFailed: it does not start.
            SandboxGone: the sandbox has ended.
        """
        self._replacing = True
        try:
            await self._stop()
            await self.start()
        except (SandboxGone, SandboxStartFailed) as error:
            self.failed = error.message
            raise
        finally:
            self._replacing = False

    async def close(self) -> None:
        """Watch its interpreter no more; the sandbox has ended."""
        if self._interpreter:
            await self._interpreter.close()

    async def _stop(self) -> None:
        """End the interpreter, and every other program inside."""
        if (interpreter := self._interpreter) is None:
            return
        try:
            await end_all(self._sandbox.link)
            async with asyncio.timeout(STOP_SECONDS):
                await interpreter.gone()
            await freed(self._sandbox)
        except TimeoutError:
            raise SandboxGone("The sandbox is gone: its agent did not end its programs.") from None
        finally:
            await interpreter.close()

    async def _revive(self) -> str | None:
        """Start a new interpreter if the last one was lost between two cells; the sentence about that."""
        lost = self._interpreter.lost if self._interpreter else None
        if lost:
            await self.reset()
        return lost

    async def _replaced(self) -> bool:
        """Start a new interpreter after a cell that has cost the last one; whether there is one."""
        with suppress(SandboxGone, SandboxStartFailed):
            await self.reset()
            return True
        return False

    async def _attend(
        self, interpreter: Interpreter, given: tuple[Cell, bytes], seconds: float, hurried: Hurried
    ) -> bool:
        """Wait until it is over: by itself, interrupted for being late, or ended; whether it was late."""
        cell, code = given
        giving = asyncio.create_task(interpreter.give(cell, code))
        interrupting: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({cell.over, hurried}, timeout=seconds, return_when="FIRST_COMPLETED")
            if cell.over.done():
                return False
            interrupting = asyncio.create_task(interpreter.interrupt(cell))
            await asyncio.wait({cell.over}, timeout=self._settings.interrupt_seconds)
            cell.end("timeout")
            return True
        finally:
            giving.cancel()
            if interrupting:
                interrupting.cancel()

    async def _judged(self, cell: Cell) -> Ending:
        """Why it is over, with the kernel's word about one whose interpreter was killed."""
        why = cell.over.result()
        with suppress(SandboxGone):
            if why == "died":
                usage = await self._sandbox.usage()
                return "oom" if usage.out_of_memory > self._killed else usage.over or why
        return why
