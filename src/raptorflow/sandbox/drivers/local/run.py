"""One run: a sandbox is started and held at its gate, limited, let go, watched to its end, and emptied."""

import asyncio
import math
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.artifacts import Collected, collect
from raptorflow.sandbox.drivers.local.cgroups.group import Group, Usage
from raptorflow.sandbox.drivers.local.command import CommandLine
from raptorflow.sandbox.drivers.local.processes import tree_use
from raptorflow.sandbox.drivers.local.seccomp import filter_descriptor
from raptorflow.sandbox.drivers.local.start import Sandbox, StartFailed, start
from raptorflow.sandbox.drivers.local.verdict import Evidence, explain, judge, signal_name
from raptorflow.sandbox.output import CHUNK_BYTES, Capture
from raptorflow.sandbox.result import SandboxResult, Status
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

NAME = "local"
STDERR_TAIL = 4096
PAGE = os.sysconf("SC_PAGE_SIZE")
# Bubblewrap's first process inside, which is outside of the group, and the shell that becomes the command.
OWN_TASKS = 1
# Grace between the end of the processes and the end of what they wrote into their pipes.
DRAIN_SECONDS = 5.0
# Libraries reserve more than they use; the watch holds what is used.
RESERVED_FACTOR = 4


@dataclass(frozen=True)
class Tools:
    """What a run stands on.

    Attributes:
        bwrap: bubblewrap's program.
        group: holds memory, processes and CPU; None where supervision has to.
        settings: of the manager.
        mark: the manager's name.
    """

    bwrap: Path
    group: Group | None
    settings: SandboxSettings
    mark: str


class LocalRun:
    """A single use: make it, `await execute()` once.

    Args:
        spec: what to run.
        tools: what it stands on.
        watch: runs since the request.
    """

    def __init__(self, spec: SandboxSpec, tools: Tools, watch: Stopwatch) -> None:
        self._spec = spec
        self._tools = tools
        self._watch = watch
        self._first_output_ms: float | None = None
        self._limits = spec.limits
        self._stdout = Capture(spec.limits.output_bytes)
        self._stderr = Capture(spec.limits.output_bytes)
        self._ended_by: Status | None = None
        self._peak = 0
        self._drained = [asyncio.Event(), asyncio.Event()]

    async def execute(self) -> SandboxResult:
        """Run the command to its end, whatever that is; nothing of it is left when this returns or raises."""
        seccomp = filter_descriptor(watched=self._tools.group is None)
        command = CommandLine(self._spec, seccomp, self._tools.mark)
        try:
            sandbox = await start(self._tools.bwrap, command, self._tools.settings.start_seconds)
        except StartFailed as error:
            return SandboxResult("sandbox_error", NAME, start_ms=self._watch.elapsed_ms(), message=str(error))
        finally:
            command.close()
        try:
            return await self._see_through(sandbox)
        except BaseException:
            sandbox.kill()
            await sandbox.gone()
            raise
        finally:
            sandbox.close()

    async def _see_through(self, sandbox: Sandbox) -> SandboxResult:
        """From the gate to the result; where this raises, what still runs has to be ended."""
        self._hold(sandbox)
        start_ms = self._watch.elapsed_ms()
        running = Stopwatch()
        code = await self._attend(sandbox)
        return await self._result(sandbox, code, (start_ms, running.elapsed_ms()))

    def _hold(self, sandbox: Sandbox) -> None:
        """Put the waiting process under its limits."""
        if self._tools.group:
            self._tools.group.add(sandbox.main)
        supervised = self._tools.group is None
        sandbox.limit(resource_limits(self._limits, self._tools.settings.open_files, supervised=supervised))

    async def _attend(self, sandbox: Sandbox) -> int:
        """Let it go, and wait for its end or for a limit."""
        loop = asyncio.get_running_loop()
        streams = ((sandbox.stdout, self._stdout), (sandbox.stderr, self._stderr))
        for (descriptor, capture), drained in zip(streams, self._drained, strict=True):
            loop.add_reader(descriptor, self._read, sandbox, descriptor, capture, drained)
        clock = loop.call_later(self._limits.timeout_seconds, self._end, sandbox, "timeout")
        guard = asyncio.create_task(self._guard(sandbox))
        try:
            sandbox.go()
            return await self._until_gone(sandbox)
        finally:
            clock.cancel()
            guard.cancel()
            for descriptor, _ in streams:
                loop.remove_reader(descriptor)

    async def _until_gone(self, sandbox: Sandbox) -> int:
        code = await sandbox.gone()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                for drained in self._drained:
                    await drained.wait()
        return code

    def _read(self, sandbox: Sandbox, descriptor: int, capture: Capture, drained: asyncio.Event) -> None:
        """Take what can be read; a flood ends the run, not the host."""
        try:
            chunk = os.read(descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            asyncio.get_running_loop().remove_reader(descriptor)
            drained.set()
            return
        self._first_output_ms = self._first_output_ms or self._watch.elapsed_ms()
        room = self._limits.output_bytes - self._stdout.total - self._stderr.total
        if len(chunk) > room:
            capture.cut = True
            self._end(sandbox, "output_limit")
        capture.add(chunk[: max(0, room)])

    def _end(self, sandbox: Sandbox, reason: Status) -> None:
        """End it for the first reason that comes up."""
        self._ended_by = self._ended_by or reason
        sandbox.kill()

    async def _guard(self, sandbox: Sandbox) -> None:
        """Watch what the kernel does not hold exactly, and end what the kernel has crippled."""
        while True:
            await asyncio.sleep(self._tools.settings.watch_seconds)
            passed = self._group_limit(sandbox) if self._tools.group else self._tree_limit(sandbox)
            if passed:
                self._end(sandbox, passed)
                return

    def _group_limit(self, sandbox: Sandbox) -> Status | None:
        """The group's limit holds processes and workspace together: here the processes alone are measured."""
        group = self._tools.group
        if group is None:
            return None
        use = group.memory()
        if use.anonymous + max(0, use.shared - sandbox.file_bytes()) > self._limits.memory_bytes:
            return "oom"
        # Version 1 kills one process and lets the rest go on without it.
        return "oom" if group.usage().out_of_memory else None

    def _tree_limit(self, sandbox: Sandbox) -> Status | None:
        use = tree_use(sandbox.first, enough_bytes=self._limits.memory_bytes)
        self._peak = max(self._peak, use.memory_bytes)
        if use.memory_bytes > self._limits.memory_bytes:
            return "oom"
        return "pids" if use.tasks > self._limits.pids else None

    async def _result(self, sandbox: Sandbox, code: int, times: tuple[float, float]) -> SandboxResult:
        group = self._tools.group
        usage = group.usage() if group else Usage(peak_memory_bytes=self._peak or None)
        stderr = self._stderr.value()
        seen = Evidence(
            self._ended_by, code, usage, sandbox.is_full(), stderr[-STDERR_TAIL:], group is not None
        )
        status = judge(seen)
        collected = await self._collect(sandbox)
        return SandboxResult(
            status=status,
            driver=NAME,
            exit_code=None if self._ended_by or status == "signal" else code,
            signal=signal_name(code) if status == "signal" else None,
            stdout=self._stdout.value(),
            stderr=stderr,
            stdout_truncated=self._stdout.truncated,
            stderr_truncated=self._stderr.truncated,
            start_ms=times[0],
            first_output_ms=self._first_output_ms,
            wall_ms=times[1],
            cpu_ms=usage.cpu_ms,
            peak_memory_bytes=usage.peak_memory_bytes,
            artifacts=tuple(collected.artifacts),
            message=_message(explain(status, seen, self._limits), collected),
            artifacts_refused=tuple(collected.refused),
        )

    async def _collect(self, sandbox: Sandbox) -> Collected:
        target = self._spec.artifacts_dir
        if target is None:
            return Collected()
        copying = asyncio.ensure_future(
            asyncio.to_thread(collect, sandbox.workspace, target, self._tools.settings)
        )
        try:
            return await asyncio.shield(copying)
        except asyncio.CancelledError:
            # The thread uses the open workspace, which is closed next.
            await copying
            raise


def resource_limits(limits: Limits, open_files: int, *, supervised: bool) -> dict[int, int]:
    """Limits that hold for each process (or, for processes, each user inside: there is only one).

    Args:
        limits: the run's.
        open_files: descriptors of a process.
        supervised: no group holds memory, processes and CPU, so these have to help.
    """
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: open_files,
        # Above the workspace: a full workspace should say so, and not that a file is too large.
        resource.RLIMIT_FSIZE: limits.disk_bytes + PAGE,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if supervised:
        values |= {
            resource.RLIMIT_NPROC: limits.pids + OWN_TASKS,
            resource.RLIMIT_AS: limits.memory_bytes * RESERVED_FACTOR,
            resource.RLIMIT_DATA: limits.memory_bytes,
            resource.RLIMIT_CPU: math.ceil(limits.timeout_seconds * limits.cpus) + 1,
        }
    return values


def _message(limit: str | None, collected: Collected) -> str | None:
    """What a person should know: the limit, and what was not taken."""
    refused = f"Not taken from ./out: {'; '.join(collected.refused)}." if collected.refused else None
    return " ".join(part for part in (limit, refused) if part) or None
