"""Programs beside the interpreter of a session, each with its own clock and cap on output."""

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import suppress

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.launch import AGENT, PACKAGE
from raptorflow.sandbox.agent.programs import Program, Running
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.result import SandboxResult, Status
from raptorflow.sandbox.running.commands import program_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.output import Capture
from raptorflow.sandbox.running.verdict import Evidence, exit_code, explain, judge, shell_code, signal_name
from raptorflow.sandbox.sessions.freed import freed
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

START = f"import sys; sys.path.insert(0, {AGENT!r}); from {PACKAGE}.beside import main; main(sys.argv[1:])"
STDERR_TAIL = 4096
# What a program that shall end may take before everything inside is ended.
STOP_SECONDS = 2.0


def beside_program(spec: SandboxSpec, command: Sequence[str], settings: SandboxSettings) -> Program:
    """A command as it is called beside an interpreter: found and limited as a run's would be."""
    program = program_of(dataclasses.replace(spec, command=tuple(command)), settings)
    keeper = [str(spec.python_inside), "-I", "-S", "-c", START]
    return dataclasses.replace(program, arguments=[*keeper, *program.arguments])


class Beside:
    """One program; make it and `await through(...)` once.

    Args:
        sandbox: where it runs.
        settings: how much of its output is kept.
    """

    def __init__(self, sandbox: LiveSandbox, settings: SessionSettings) -> None:
        self._sandbox = sandbox
        self._room = sandbox.blueprint.limits.output_bytes
        self._outputs = {kind: Capture(settings.kept_bytes) for kind in (wire.STDOUT, wire.STDERR)}
        self._limit: asyncio.Future[Status] = asyncio.get_running_loop().create_future()

    async def through(self, program: Program, seconds: float) -> SandboxResult:
        """Run it to its end.

        Raises:
            SandboxGone: the sandbox has ended, or does not end the program.
        """
        before = await self._sandbox.usage()
        wall = Stopwatch()
        running = Running(self._sandbox.link, program, self._take)
        code = shell_code(await self._attend(running, seconds))
        usage = _since(before, await self._sandbox.usage(), code)
        await freed(self._sandbox)
        return self._result(code, usage, wall.elapsed_ms(), seconds)

    def end(self, why: Status) -> None:
        """End it for the first reason that comes up."""
        if not self._limit.done():
            self._limit.set_result(why)

    def _take(self, kind: int, payload: bytes) -> None:
        capture = self._outputs[kind]
        capture.add(payload[: max(0, self._room)])
        self._room -= len(payload)
        if self._room < 0:
            capture.cut = True
            self.end("output_limit")

    async def _attend(self, running: Running, seconds: float) -> int:
        exit_ = asyncio.ensure_future(running.wait())
        try:
            # Inside: once it is asked for it is started, also when nobody waits for that any more.
            await running.begin()
            await asyncio.wait({exit_, self._limit}, timeout=seconds, return_when="FIRST_COMPLETED")
            if not exit_.done():
                self.end("timeout")
                return await self._ended(running)
            return await exit_
        except asyncio.CancelledError:
            with suppress(SandboxGone):
                await asyncio.shield(running.feed(b""))
            raise
        finally:
            exit_.cancel()

    async def _ended(self, running: Running) -> int:
        """Tell its keeper to end it: its standard input ends."""
        await running.feed(b"")
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await running.wait()
        except TimeoutError:
            raise SandboxGone("The sandbox is gone: a program in it could not be ended.") from None

    def _result(self, code: int, usage: Usage, wall_ms: float, seconds: float) -> SandboxResult:
        stdout, stderr = self._outputs[wire.STDOUT], self._outputs[wire.STDERR]
        ended_by = self._limit.result() if self._limit.done() else None
        seen = Evidence(ended_by, code, usage, stderr.value()[-STDERR_TAIL:])
        status = judge(seen)
        limits = self._sandbox.blueprint.limits.model_copy(update={"timeout_seconds": seconds})
        return SandboxResult(
            status=status,
            driver=self._sandbox.driver.name,
            exit_code=None if ended_by else exit_code(code),
            signal=signal_name(code) if status == "signal" else None,
            stdout=stdout.value(),
            stderr=stderr.value(),
            stdout_truncated=stdout.truncated,
            stderr_truncated=stderr.truncated,
            stdout_bytes=stdout.total,
            stderr_bytes=stderr.total,
            stdout_sha256=stdout.sha256,
            stderr_sha256=stderr.sha256,
            wall_ms=wall_ms,
            message=explain(status, seen, limits),
        )


def _since(before: Usage, now: Usage, code: int) -> Usage:
    """What the kernel has counted since then.

    It does not say of whom: what it ended for lack of memory is this one's only when this one has failed too.
    """
    return dataclasses.replace(
        now,
        out_of_memory=now.out_of_memory - before.out_of_memory if code else 0,
        tasks_refused=now.tasks_refused - before.tasks_refused,
    )
