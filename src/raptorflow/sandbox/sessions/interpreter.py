"""One interpreter inside, from its start to its end, as the host has it."""

import asyncio
import dataclasses
from contextlib import suppress

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.guest.cell_wire import CELL, HEAD, INTERRUPT
from raptorflow.sandbox.agent.launch import AGENT, PACKAGE
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, Running, end_all, start
from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.running.commands import program_of
from raptorflow.sandbox.running.output import Capture
from raptorflow.sandbox.running.verdict import SIGNALLED, signal_name
from raptorflow.sandbox.sessions.cell import Cell, Ending
from raptorflow.sandbox.sessions.outcome import Outcome, OutcomeReader, OutcomeRefused
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

START = f"import sys; sys.path.insert(0, {AGENT!r}); from {PACKAGE}.cells import main; main()"
BROKE = "Something wrote to the interpreter's own descriptors."


def interpreter_program(spec: SandboxSpec, settings: SandboxSettings) -> Program:
    """The interpreter as a program: the skill's Python, with its packages and variables."""
    python = dataclasses.replace(spec, command=("python", "-c", START))
    return dataclasses.replace(program_of(python, settings), side=True)


class Interpreter:
    """Runs cells one after the other. Make it with `begin`.

    Args:
        link: to its sandbox.
        kept_bytes: of each output of a cell.
        most_bytes: of both outputs together, in a cell and between two.

    Attributes:
        lost: the sentence about why it is no more; None while it lives.
        ready: resolves when it takes cells, or is no more.
    """

    def __init__(self, link: Link, kept_bytes: int, most_bytes: int) -> None:
        self._link = link
        self._kept_bytes, self._most_bytes = kept_bytes, most_bytes
        self._reader = OutcomeReader()
        self._cell: Cell | None = None
        self._late = self._nothing_late()
        self._running: Running | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._sent: set[asyncio.Task[None]] = set()
        self._ready = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: str | None = None

    async def begin(self, program: Program) -> None:
        """Have it started; `ready` says when it is.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        self._running = await start(self._link, program, self._take)
        self._watching = asyncio.create_task(self._watch(self._running))

    def cell(self, number: int) -> Cell:
        """Begin a cell: what comes from now on is its."""
        cell = Cell(number, self._kept_bytes, self._most_bytes)
        cell.stdout.capture, cell.stderr.capture = self._late.values()
        self._late = self._nothing_late()
        self._cell = cell
        if self.lost:
            cell.end("died")
        return cell

    async def give(self, cell: Cell, code: bytes) -> None:
        """Send the cell; waits while the interpreter does not read."""
        await self._send(CELL, cell.number, cell.mark + code)

    async def interrupt(self, cell: Cell) -> None:
        """Have `KeyboardInterrupt` raised in it; nothing happens when it is over."""
        await self._send(INTERRUPT, cell.number, b"")

    def lose(self, why: str, ending: Ending) -> None:
        """It is no more, or must not be any more; the first reason counts."""
        self.lost = self.lost or why
        if ending not in {"died", "gone"} and self._ending is None:
            self._ending = asyncio.create_task(self._end())
        if self._cell:
            self._cell.end(ending)
        if not self.ready.done():
            self.ready.set_result(None)

    async def gone(self) -> None:
        """Wait until its process has ended."""
        if self._watching:
            await asyncio.shield(self._watching)

    async def close(self) -> None:
        """Watch it no more."""
        for task in (self._watching, *self._sent):
            if task:
                task.cancel()
        tasks = [task for task in (self._watching, self._ending, *self._sent) if task]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self) -> None:
        """End what runs inside, now and not when somebody asks for the next cell."""
        with suppress(SandboxGone):
            await end_all(self._link)

    async def _send(self, kind: bytes, number: int, payload: bytes) -> None:
        """Whole and one after the other, also when whoever waits for it does not wait any more."""
        if self._running:
            content = HEAD.pack(kind, number, len(payload)) + payload
            task = asyncio.create_task(self._feed(self._running, content))
            self._sent.add(task)
            task.add_done_callback(self._sent.discard)
            await asyncio.shield(task)

    async def _feed(self, running: Running, content: bytes) -> None:
        async with self._sending:
            with suppress(SandboxGone):
                await running.feed(content, end=False)

    async def _watch(self, running: Running) -> None:
        try:
            code = await running.wait()
        except SandboxGone as error:
            self.lose(error.message, "gone")
        else:
            signal = signal_name(SIGNALLED - code) if code < 0 else None
            self.lose(f"The interpreter ended with {signal or f'exit code {code}'}.", "died")

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == wire.SIDE:
            self._hear(payload)
            return
        if self._cell:
            payload = self._cell.take(kind, payload)
        if payload and not self.lost:
            self._late[kind].add(payload)
            if sum(late.total for late in self._late.values()) > self._most_bytes:
                self.lose(f"Between two cells it printed more than {self._most_bytes} bytes.", "output_limit")

    def _hear(self, payload: bytes) -> None:
        try:
            for outcome in self._reader.feed(payload):
                if not self._hear_of(outcome):
                    raise OutcomeRefused("an outcome of no cell")
        except OutcomeRefused:
            self.lose(BROKE, "broken")

    def _hear_of(self, outcome: Outcome) -> bool:
        """Whether it may come now."""
        if self._ready:
            return self._cell is not None and self._cell.tell(outcome)
        self._ready = outcome.cell == 0
        if self._ready and not self.ready.done():
            self.ready.set_result(None)
        return self._ready

    def _nothing_late(self) -> dict[int, Capture]:
        return {kind: Capture(self._kept_bytes) for kind in (wire.STDOUT, wire.STDERR)}
