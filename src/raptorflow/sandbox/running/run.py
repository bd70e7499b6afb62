"""One run in a sandbox that is up: files in, the program watched to its end, its result and files out."""

import asyncio
from contextlib import suppress

from raptorflow.base.clock import Stopwatch
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.agent.files import chunks, put
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.programs import Running, end_all, start
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.result import SandboxResult, Status
from raptorflow.sandbox.running.artifacts import SLOWEST, Collected, collect
from raptorflow.sandbox.running.commands import program_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.output import Capture
from raptorflow.sandbox.running.verdict import (
    KILLED,
    Evidence,
    exit_code,
    explain,
    judge,
    shell_code,
    signal_name,
)
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import INPUTS, SandboxSpec

log = logger(__name__)

STDERR_TAIL = 4096
# What an agent may take to end its programs before everything is ended from outside.
STOP_SECONDS = 1.0


class Run:
    """A single use: make it, `await through(sandbox)` once.

    Args:
        spec: what to run.
        settings: how closely it is watched, and how much is taken out.
        watch: runs since the request.
    """

    def __init__(self, spec: SandboxSpec, settings: SandboxSettings, watch: Stopwatch) -> None:
        self._spec = spec
        self._settings = settings
        self._watch = watch
        self._stdout = Capture(spec.limits.output_bytes)
        self._stderr = Capture(spec.limits.output_bytes)
        self._first_output_ms: float | None = None
        self._limit: asyncio.Future[Status] = asyncio.get_running_loop().create_future()
        self._start_ms = 0.0
        self._trouble: str | None = None

    async def through(self, sandbox: LiveSandbox) -> SandboxResult:
        """Run it to its end, whatever that is. The sandbox is spent afterwards.

        Raises:
            FileRefused: an input does not fit.
            SandboxGone: it ended before the program was started.
        """
        limit = self._settings.start_seconds + self._input_bytes() / SLOWEST
        try:
            async with asyncio.timeout(limit):
                running = await self._begin(sandbox)
        except TimeoutError as error:
            raise SandboxGone(
                f"The sandbox did not take its files and its program in {limit:.0f} s."
            ) from error
        self._start_ms = self._watch.elapsed_ms()
        wall = Stopwatch()
        code = await self._attend(sandbox, running)
        wall_ms = wall.elapsed_ms()
        return await self._result(sandbox, code, wall_ms)

    async def _begin(self, sandbox: LiveSandbox) -> Running:
        """Files in, and the program started."""
        for name, path in self._spec.inputs.items():
            await put(sandbox.link, f"{INPUTS}/{name}", chunks(path))
        program = program_of(self._spec, self._settings)
        if sandbox.waiting and sandbox.waiting.suits(program):
            return await sandbox.waiting.become(program, self._take)
        if sandbox.waiting:
            await sandbox.waiting.leave(sandbox.link)
        running = await start(sandbox.link, program, self._take)
        await running.started
        return running

    def _input_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._spec.inputs.values())

    def _take(self, kind: int, payload: bytes) -> None:
        """Take output as it comes; a flood ends the run, not the host."""
        self._first_output_ms = self._first_output_ms or self._watch.elapsed_ms()
        capture = self._stdout if kind == wire.STDOUT else self._stderr
        room = self._spec.limits.output_bytes - self._stdout.total - self._stderr.total
        if len(payload) > room:
            capture.cut = True
            self._end("output_limit")
        capture.add(payload[: max(0, room)])

    def _end(self, reason: Status) -> None:
        """End it for the first reason that comes up."""
        if not self._limit.done():
            self._limit.set_result(reason)

    async def _attend(self, sandbox: LiveSandbox, running: Running) -> int:
        """Feed and watch it; its exit code, or what stands for a signal."""
        loop = asyncio.get_running_loop()
        clock = loop.call_later(self._spec.limits.timeout_seconds, self._end, "timeout")
        exit_ = asyncio.ensure_future(running.wait())
        helpers = [
            asyncio.create_task(self._feed(running)),
            asyncio.create_task(self._guard(sandbox)),
        ]
        try:
            await asyncio.wait({exit_, self._limit}, return_when=asyncio.FIRST_COMPLETED)
            if not exit_.done():
                await self._stop(sandbox, exit_)
            return shell_code(await exit_)
        except SandboxGone as error:
            self._trouble = error.message
            return KILLED
        finally:
            clock.cancel()
            for task in (exit_, *helpers):
                task.cancel()
            await asyncio.gather(exit_, *helpers, return_exceptions=True)

    async def _feed(self, running: Running) -> None:
        with suppress(SandboxGone):
            await running.feed(self._spec.stdin)

    async def _stop(self, sandbox: LiveSandbox, exit_: asyncio.Future[int]) -> None:
        """End every program; a sandbox whose agent does not do that is ended as a whole."""
        with suppress(SandboxGone, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await end_all(sandbox.link)
                await asyncio.shield(exit_)
                return
        await sandbox.link.close()

    async def _guard(self, sandbox: LiveSandbox) -> None:
        """Watch what the kernel does not hold exactly, and end what the kernel has crippled."""
        try:
            while True:
                await asyncio.sleep(self._settings.watch_seconds)
                usage = await sandbox.usage()
                if usage.over or usage.out_of_memory:
                    self._end(usage.over or "oom")
                    return
        except SandboxGone:
            # Whoever waits for the program is told that too.
            return
        except Exception:
            log.exception("a sandbox cannot be watched any more", sandbox=sandbox.handle.sandbox_id)
            self._trouble = "The sandbox could not be watched any more."
            self._end("sandbox_error")

    async def _result(self, sandbox: LiveSandbox, code: int, wall_ms: float) -> SandboxResult:
        usage = await sandbox.usage()
        stderr = self._stderr.value()
        ended_by = self._ended_by(usage)
        seen = Evidence(ended_by, code, usage, stderr[-STDERR_TAIL:])
        status = judge(seen)
        collected = await self._collect(sandbox)
        return SandboxResult(
            status=status,
            driver=sandbox.driver.name,
            exit_code=None if ended_by else exit_code(code),
            signal=signal_name(code) if status == "signal" else None,
            stdout=self._stdout.value(),
            stderr=stderr,
            stdout_truncated=self._stdout.truncated,
            stderr_truncated=self._stderr.truncated,
            stdout_bytes=self._stdout.total,
            stderr_bytes=self._stderr.total,
            stdout_sha256=self._stdout.sha256,
            stderr_sha256=self._stderr.sha256,
            start_ms=self._start_ms,
            first_output_ms=self._first_output_ms,
            wall_ms=wall_ms,
            cpu_ms=usage.cpu_ms,
            peak_memory_bytes=usage.peak_memory_bytes,
            throttled=usage.throttled,
            artifacts=tuple(collected.artifacts),
            message=_message(explain(status, seen, self._spec.limits) or self._said(status), collected),
            artifacts_refused=tuple(collected.refused),
        )

    def _ended_by(self, usage: Usage) -> Status | None:
        """What it was ended for; a sandbox that went away by itself is an error and no end of the program."""
        if self._limit.done():
            return self._limit.result()
        if usage.out_of_memory:
            return "oom"
        return usage.over or ("sandbox_error" if self._trouble else None)

    def _said(self, status: Status) -> str | None:
        return self._trouble if status == "sandbox_error" else None

    async def _collect(self, sandbox: LiveSandbox) -> Collected:
        target = self._spec.artifacts_dir
        if target is None:
            return Collected()
        return await collect(sandbox.link, target, self._settings)


def _message(limit: str | None, collected: Collected) -> str | None:
    """What a person should know: the limit, and what was not taken."""
    refused = f"Not taken from ./out: {'; '.join(collected.refused)}." if collected.refused else None
    return " ".join(part for part in (limit, refused) if part) or None
