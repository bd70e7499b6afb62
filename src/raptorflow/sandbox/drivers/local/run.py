"""One run: bubblewrap started and held at its gate, put into its group, let go, watched, and cleaned away."""

import asyncio
import errno
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.base.json import loads
from raptorflow.sandbox.drivers.local.artifacts import ArtifactRefused, fetch, open_outputs
from raptorflow.sandbox.drivers.local.cgroups import Group, Usage
from raptorflow.sandbox.drivers.local.command import Pipes, sandbox_command
from raptorflow.sandbox.drivers.local.processes import kill_tree, tree_usage
from raptorflow.sandbox.drivers.local.seccomp import filter_descriptor
from raptorflow.sandbox.drivers.local.streams import Output, feed
from raptorflow.sandbox.result import Artifact, SandboxResult, Status
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

SIGNALLED = 128
SUPERVISE_SECONDS = 0.05
REAP_SECONDS = 5.0
START_SECONDS = 20.0
PIPE_BYTES = 4096
OPEN_FILES = 256
# Libraries reserve more addresses than they ever touch.
ADDRESS_SPACE_FACTOR = 4
STDERR_TAIL = 4096
DISK_FULL_SIGN = os.strerror(errno.ENOSPC).encode()
PIDS_SIGNS = (os.strerror(errno.EAGAIN).encode(), b"can't start new thread", b"annot fork")


class LocalRun:
    """A single use: make it, `await execute()` once.

    Args:
        spec: what to run.
        bwrap: bubblewrap's binary.
        group: holds memory, processes and CPU; None where supervision has to.
        settings: limits on artefacts.
    """

    def __init__(
        self, spec: SandboxSpec, bwrap: Path, group: Group | None, settings: SandboxSettings
    ) -> None:
        self._spec = spec
        self._bwrap = bwrap
        self._group = group
        self._settings = settings
        self._output = Output(spec.limits.output_bytes)
        self._first_pid: int | None = None
        self._peak = 0
        self._watch = Stopwatch()
        self._start_ms = 0.0

    async def execute(self) -> SandboxResult:
        """Run the command to its end, whatever that is."""
        info_out, info_in = os.pipe()
        gate_out, gate_in = os.pipe()
        pipes = Pipes(info_in, gate_out, filter_descriptor())
        try:
            try:
                process = await self._spawn(pipes)
            finally:
                for descriptor in pipes.all():
                    os.close(descriptor)
            return await self._attend(process, info_out, gate_in)
        finally:
            os.close(info_out)
            os.close(gate_in)

    async def _spawn(self, pipes: Pipes) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *sandbox_command(self._bwrap, self._spec, pipes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=pipes.all(),
        )

    async def _attend(self, process: asyncio.subprocess.Process, info: int, gate: int) -> SandboxResult:
        """See the run through its life: gate, command, end of every process, artefacts."""
        reading = asyncio.create_task(self._read(process))
        outputs: int | None = None
        ended_by: Status | None = None
        try:
            outputs = await self._prepare(process, info)
            self._start_ms = self._watch.elapsed_ms()
            if outputs is not None:
                os.write(gate, b"\n")
                ended_by = await self._wait(process)
        except BaseException:
            reading.cancel()
            raise
        finally:
            await self._end(process, reading)
            code = process.returncode
            artifacts, message = await self._fetch(outputs, ended_by)
        return self._result((ended_by, code, outputs is not None), artifacts, message)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin and process.stdout and process.stderr:
            reading = self._output.read(process.stdout, process.stderr)
            await asyncio.gather(feed(process.stdin, self._spec.stdin), reading)

    async def _prepare(self, process: asyncio.subprocess.Process, info: int) -> int | None:
        """Hold the waiting sandbox: group, limits, output folder; None when bubblewrap has failed."""
        try:
            text = await asyncio.wait_for(_read_object(info), START_SECONDS)
        except TimeoutError:
            return None
        if not text.strip():
            return None
        self._first_pid = int(loads(text)["child-pid"])
        if self._group:
            self._group.add(process.pid)
            self._group.add(self._first_pid)
        try:
            outputs = await self._open_outputs(self._first_pid)
            _limit(self._first_pid, self._spec.limits, supervised=self._group is None)
        except (ProcessLookupError, FileNotFoundError, TimeoutError):
            return None
        return outputs

    async def _open_outputs(self, pid: int) -> int:
        """The output folder; bubblewrap may still be mounting when it tells its pid."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    return open_outputs(pid)
                except FileNotFoundError:
                    os.kill(pid, 0)
                    await asyncio.sleep(MOUNTING_SECONDS)

    async def _wait(self, process: asyncio.subprocess.Process) -> Status | None:
        """Wait for the command's end, or for the limit that ends it."""
        ending = asyncio.create_task(process.wait())
        filling = asyncio.create_task(self._output.full.wait())
        watching = asyncio.create_task(self._supervise())
        tasks: set[asyncio.Task[object]] = {ending, filling, watching}
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=self._spec.limits.timeout_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks:
                task.cancel()
        if not done:
            return "timeout"
        if filling in done:
            return "output_limit"
        return watching.result() if watching in done else None

    async def _supervise(self) -> Status:
        """Where no group holds it, watch the tree and say which limit it passed."""
        limits = self._spec.limits
        while self._group is None and self._first_pid:
            usage = tree_usage(self._first_pid)
            self._peak = max(self._peak, usage.memory_bytes)
            if usage.memory_bytes > limits.memory_bytes:
                return "oom"
            if usage.processes > limits.pids:
                return "pids"
            await asyncio.sleep(SUPERVISE_SECONDS)
        return await asyncio.Future[Status]()

    async def _end(self, process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
        """Let nothing live on: the first process takes its pid namespace with it."""
        if self._first_pid:
            kill_tree(self._first_pid)
        elif process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        if self._group:
            self._group.kill()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.gather(process.wait(), reading), REAP_SECONDS)

    async def _fetch(
        self, outputs: int | None, ended_by: Status | None
    ) -> tuple[tuple[Artifact, ...], str | None]:
        if outputs is None:
            return (), None
        try:
            target = self._spec.artifacts_dir
            if target is None or ended_by is not None:
                return (), None
            return await asyncio.to_thread(fetch, outputs, target, self._settings), None
        except (ArtifactRefused, OSError) as error:
            return (), str(error)
        finally:
            os.close(outputs)

    def _result(
        self,
        end: tuple[Status | None, int | None, bool],
        artifacts: tuple[Artifact, ...],
        message: str | None,
    ) -> SandboxResult:
        code = end[1]
        usage = self._group.usage() if self._group else Usage(None, self._peak or None)
        status = self._status(end, usage)
        number = code - SIGNALLED if status == "signal" and code is not None else None
        stderr = bytes(self._output.stderr)
        if status == "sandbox_error":
            message = stderr.decode(errors="replace").strip() or "The sandbox ended without a result."
        return SandboxResult(
            status=status,
            driver="local",
            exit_code=code if number is None and end[0] is None else None,
            signal=signal.Signals(number).name if number else None,
            stdout=bytes(self._output.stdout),
            stderr=stderr,
            stdout_truncated=self._output.stdout_truncated,
            stderr_truncated=self._output.stderr_truncated,
            start_ms=self._start_ms,
            wall_ms=round(self._watch.elapsed_ms() - self._start_ms, 3),
            cpu_ms=usage.cpu_ms,
            peak_memory_bytes=usage.peak_memory_bytes,
            artifacts=artifacts,
            message=message,
        )

    def _status(self, end: tuple[Status | None, int | None, bool], usage: Usage) -> Status:
        """What ended it: our own limits first, then the kernel's word, then the exit code."""
        ended_by, code, started = end
        if not started or code is None:
            return "sandbox_error"
        if ended_by or self._output.full.is_set():
            return ended_by or "output_limit"
        if usage.oom and code != 0:
            return "oom"
        if code == 0:
            return "ok"
        tail = bytes(self._output.stderr[-STDERR_TAIL:])
        if DISK_FULL_SIGN in tail:
            return "disk_full"
        if usage.pids_refused or any(sign in tail for sign in PIDS_SIGNS):
            return "pids"
        return "signal" if code - SIGNALLED in set(signal.Signals) else "error"


MOUNTING_SECONDS = 0.001


def _limit(pid: int, limits: Limits, *, supervised: bool) -> None:
    """Give the waiting process, and so all that it starts, its rlimits."""
    values = {
        resource.RLIMIT_NOFILE: OPEN_FILES,
        # Above the workspace: a full workspace should say so, not that a file is too large.
        resource.RLIMIT_FSIZE: 2 * limits.disk_bytes,
        resource.RLIMIT_CORE: 0,
    }
    if supervised:
        values[resource.RLIMIT_AS] = limits.memory_bytes * ADDRESS_SPACE_FACTOR
    for name, value in values.items():
        highest = resource.prlimit(pid, name)[1]
        value = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.prlimit(pid, name, (value, value))


async def _read_object(descriptor: int) -> bytes:
    """One JSON object, or what came before the other end was closed."""
    content = b""
    while not content.rstrip().endswith(b"}"):
        await _readable(descriptor)
        chunk = os.read(descriptor, PIPE_BYTES)
        if not chunk:
            break
        content += chunk
    return content


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def set_ready() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, set_ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
