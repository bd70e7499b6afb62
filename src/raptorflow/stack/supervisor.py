"""Keeps parts running: starts them, starts a crashed one again with growing patience, stops all in order."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from raptorflow.base.errors import RaptorFlowError
from raptorflow.stack.process import POLL_SECONDS, Child, Insistence, all_or_none, start_child

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A part that ran this long is well again: its next crash starts at the first pause.
STEADY_SECONDS = 60.0
PROGRAM_STOPPING: Insistence = ((signal.SIGTERM, 6.0),)

Outcome = TypeVar("Outcome")
Report = Callable[[str], None]
"""Takes a sentence for the person who watches."""


class Part(Protocol):
    """Something that runs until it is stopped, and may crash."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    async def start(self) -> object:
        """Start, and return when it is ready."""
        ...

    async def wait(self) -> int:
        """Wait for its end; the exit code."""
        ...

    def last_line(self) -> str:
        """The last thing it wrote; empty when it wrote nothing."""
        ...

    async def stop(self) -> None:
        """Stop within seconds, and do nothing when it does not run."""
        ...


class Program:
    """A program of ours as a part.

    Args:
        name: what messages call it.
        command: absolute program path and arguments.
        environment: all it gets.
        log: the file for its output.
        ready: asked with the process id until it says yes; it raises when that will never be. None: ready
            as soon as it runs.
        ready_seconds: how long it may take.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        ready: Callable[[int], Awaitable[bool]] | None = None,
        ready_seconds: float = 60.0,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self._ready = ready
        self._ready_seconds = ready_seconds
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The running program's process id."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            EmbeddedPartFailed: it ended first, took too long, or will never be ready.
        """
        child = await self._start_child()
        deadline = time.monotonic() + self._ready_seconds
        while self._ready and not await self._ready(child.pid):
            if child.exit_code is not None:
                if child.exit_code >= 0:
                    raise child.failure(f"{self.name} ended with {child.exit_code}")
                # Killed from outside: that says nothing of whether it can begin.
                child = await self._start_child()
            if time.monotonic() > deadline:
                raise child.failure(f"{self.name} is not ready in {self._ready_seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _start_child(self) -> Child:
        self._child = await start_child(
            self.name, self._command, environment=self._environment, log=self._log, folder=Path.cwd()
        )
        return self._child

    async def wait(self) -> int:
        """Wait for its end; the exit code."""
        return await self._child.wait() if self._child else 0

    def last_line(self) -> str:
        """The last line of its log."""
        return self._child.last_line() if self._child else ""

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL after six seconds."""
        if self._child:
            await self._child.stop(PROGRAM_STOPPING)
            self._child = None


class Supervisor:
    """Runs groups of parts, each group after the ones before it.

    Args:
        report: is told of crashes and restarts.
        first_pause_seconds: before the first restart; doubles with each further one.
    """

    def __init__(self, report: Report, *, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self._report = report
        self._first_pause = first_pause_seconds
        self._groups: list[Sequence[Part]] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._failed = asyncio.Event()
        self._failure: RaptorFlowError | None = None

    async def start(self, *parts: Part, beside: Sequence[Part] = ()) -> None:
        """Start parts at the same time, and watch over each once it is ready.

        Args:
            parts: those to wait for.
            beside: those that may take longer; `unless_failed` tells when one of them cannot begin.

        Raises:
            RaptorFlowError: one did not start; those that did are stopped by `stop()`.
        """
        self._groups.append((*parts, *beside))
        self._watchers += [asyncio.create_task(self._begin(part)) for part in beside]
        await self.unless_failed(all_or_none(*(part.start() for part in parts)))
        self._watchers += [asyncio.create_task(self._watch(part)) for part in parts]

    async def unless_failed(self, work: Awaitable[Outcome]) -> Outcome:
        """The outcome of some work, which is cancelled when a part cannot begin.

        Raises:
            RaptorFlowError: why the part could not. One that crashes later is started again instead.
        """
        working = asyncio.ensure_future(work)
        failed = asyncio.create_task(self._failed.wait())
        try:
            await asyncio.wait({working, failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._failure and not working.done():
                raise self._failure
            return await working
        finally:
            for task in (working, failed):
                task.cancel()
            await asyncio.gather(working, failed, return_exceptions=True)

    async def stop(self) -> None:
        """Stop every part, the last group first; parts of one group at the same time."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        while self._groups:
            await asyncio.gather(*(part.stop() for part in self._groups.pop()))

    async def _begin(self, part: Part) -> None:
        try:
            await part.start()
        except RaptorFlowError as error:
            self._failure = error
            self._failed.set()
        else:
            await self._watch(part)

    async def _watch(self, part: Part) -> None:
        pause = self._first_pause
        while True:
            began = time.monotonic()
            code = await part.wait()
            # What is killed says nothing about it; its last line would only mislead.
            words = part.last_line() if code > 0 else ""
            self._report(f"{part.name} {_ending(code)}{': ' + words if words else '.'}")
            if time.monotonic() - began > STEADY_SECONDS:
                pause = self._first_pause
            while True:
                self._report(f"Starting {part.name} again in {pause:g} s.")
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                if await self._restarted(part):
                    break

    async def _restarted(self, part: Part) -> bool:
        await part.stop()
        try:
            await part.start()
        except RaptorFlowError as error:
            self._report(error.message)
            return False
        self._report(f"{part.name} runs again.")
        return True


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
