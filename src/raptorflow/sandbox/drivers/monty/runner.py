"""`PureRunner`: actions that compute and need nothing else, without a sandbox's cost.

It is no `SandboxDriver`: there is no guest agent, no folder and no channel. The script runs in an interpreter
that has no files, no network and no programs to give, in a process of its own that is used once and has none
of these either. What a script lacks there is said by `can_run`, before, or by the result, after; either way
it may be run in a sandbox instead, because nothing of it is ever seen outside.
"""

import asyncio
import shutil
import sysconfig
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from raptorflow.base.clock import Stopwatch
from raptorflow.base.json import dumps, loads
from raptorflow.sandbox.drivers.monty.confinement import Walls, new_folder
from raptorflow.sandbox.drivers.monty.guard import Guard, indented
from raptorflow.sandbox.drivers.monty.helper import PRELUDE, adapted
from raptorflow.sandbox.drivers.monty.outcome import NAME, Output, result_of, separated
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.drivers.monty.worker import Allowed, Failure, Printed, Worker
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.pool.metrics import CREATE_SECONDS
from raptorflow.sandbox.pool.pool import Maker, WarmPool
from raptorflow.sandbox.probing import Guarantee, ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import Limits
from raptorflow.skills.pure.suitability import can_run

PROGRAM = "monty"
ENGINE = "raptorflow.sandbox.drivers.monty.engine"
CameBy = Literal["cold", "warm"]
Told = Callable[[CameBy, float], Awaitable[None]]
REMEDY = "uv pip install 'raptorflow[monty]'"


class PureRunner:
    """Runs scripts in the pure tier.

    Args:
        bubblewrap: builds the walls around the interpreter's process.
        settings: sizes.
    """

    def __init__(self, bubblewrap: Path, settings: MontySettings) -> None:
        self._bubblewrap = bubblewrap
        self._settings = settings
        self._folder: Path | None = None
        self._start: Any = None
        self._walls: Walls | None = None
        self._scripts: Iterator[Path] | None = None
        self._pool = WarmPool[str, Worker](
            NAME,
            settings.pool,
            Maker(lambda _: self._worker(), lambda one: one.ping(), lambda one: one.stop()),
        )

    async def probe(self) -> ProbeReport:
        """Whether it can be used here, and what holds around it; found by trying."""
        try:
            worker = await self._worker()
        except SandboxUnavailable as error:
            return report_of(error.message, error.hint)
        try:
            gaps = self._walls.gaps() if self._walls else []
            bound = bool(self._walls and self._walls.pinned())
        finally:
            await worker.stop()
        if gaps:
            problem = f"the interpreter's process is not walled in: {', '.join(gaps)}"
            remedy = (
                "Install a bubblewrap that may make user namespaces; `raptorflow sandbox check` says more."
            )
            return report_of(problem, remedy)
        remedy = None if bound else "apt-get install util-linux"
        return ProbeReport(NAME, _guarantees(bound), remedy=remedy, boundary="interpreter", optional=True)

    def start(self) -> None:
        """Keep interpreters ready, in the background, until `close`."""
        self._pool.start()

    async def run(
        self,
        source: str,
        stdin: bytes,
        limits: Limits,
        *,
        arguments: Sequence[str] = (),
        variables: Mapping[str, object] | None = None,
        told: Told | None = None,
    ) -> SandboxResult:
        """Run a script as a sandbox would: a JSON object in on stdin, what it prints out.

        `sandbox_error` means that it never started, or that the interpreter gave up (`message` says why), and
        that it wants a sandbox. `cpus`, `pids` and `disk_bytes` have no meaning here.

        Args:
            source: the script.
            stdin: one JSON object; only the helper reads it.
            limits: `memory_bytes` is of objects, and cut to what the settings allow.
            arguments: the first one chooses among actions.
            variables: what `variables()` returns.
            told: awaited with the path by which an interpreter came, and the milliseconds, before the script.

        Raises:
            SandboxUnavailable: the tier cannot be used here.
        """
        asked = Stopwatch()
        # Some sources take long to read.
        text, answers, obstacles = await asyncio.to_thread(_read, source)
        if obstacles:
            return SandboxResult("sandbox_error", NAME, message=obstacles)
        line, guard = uuid4().hex, Guard(limits.output_bytes)
        given = {
            "_rf_line": line,
            "_rf_given": stdin.decode("utf-8", errors="replace"),
            "_rf_name": arguments[0] if arguments else "",
            "_rf_values": loads(dumps(variables or {})),
        }
        worker, path = await self._claim()
        started = asked.elapsed_ms()
        printed = Printed(limits.output_bytes)
        failure = None
        try:
            if told:
                await told(path, started)
                started = asked.elapsed_ms()
            scripts = [guard.prelude, PRELUDE, guard.around(text)]
            await worker.run(scripts, given, self._allowed(limits), printed)
        except Failure as error:
            failure = guard.plain(error)
        finally:
            wall = asked.elapsed_ms() - started
            await worker.stop()
        output = separated(printed, line) if answers else Output.of(printed)
        return result_of(failure, output, limits.output_bytes, (started, wall))

    async def close(self) -> None:
        """End what is left."""
        await self._pool.close()
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder)
        self._folder, self._scripts = None, None

    async def _claim(self) -> tuple[Worker, CameBy]:
        began = Stopwatch()
        path: CameBy = "warm"
        worker = await self._pool.claim(NAME)
        if worker is None:
            worker, path = await self._worker(), "cold"
            self._pool.observe(NAME, began.elapsed_ms() / 1000)
        CREATE_SECONDS.labels(NAME, path).observe(began.elapsed_ms() / 1000)
        return worker, path

    async def _worker(self) -> Worker:
        """A new process.

        Raises:
            SandboxUnavailable: the extra is not installed, or the process does not start.
        """
        if self._scripts is None:
            self._scripts = cycle(self._prepared())
        worker = self._start(next(self._scripts))
        try:
            await worker.start()
        except Failure as failure:
            hint = "Run `raptorflow sandbox check`; it says what this machine lacks."
            raise SandboxUnavailable(failure.message, hint=hint) from failure
        return worker

    def _prepared(self) -> list[Path]:
        if find_spec("pydantic_monty") is None:
            raise SandboxUnavailable("pydantic-monty is not installed.", hint=REMEDY)
        program = shutil.which(PROGRAM, path=sysconfig.get_path("scripts"))
        if program is None:
            raise SandboxUnavailable("The program `monty` is not beside this Python.", hint=REMEDY)
        self._start = import_module(ENGINE).MontyWorker
        self._folder = self._folder or new_folder(Path(tempfile.gettempdir()))
        self._walls = Walls(self._bubblewrap, Path(program), self._settings.process_bytes)
        return self._walls.write_each(self._folder)

    def _allowed(self, limits: Limits) -> Allowed:
        memory = min(limits.memory_bytes, self._settings.max_memory_bytes)
        return Allowed(limits.timeout_seconds, memory, limits.output_bytes, self._settings.recursion)


def report_of(problem: str, remedy: str | None) -> ProbeReport:
    """Of a tier that cannot be used; everything is done without it too."""
    return ProbeReport(NAME, problem=problem, remedy=remedy, boundary="interpreter", optional=True)


@lru_cache(maxsize=128)
def _read(source: str) -> tuple[str, bool, str]:
    """The script as it can run there, whether it answers through the helper, and what stands against it."""
    if obstacles := can_run(source):
        return "", False, "; ".join(f"line {each.line}: {each.reason}" for each in obstacles)
    text, answers = adapted(source)
    try:
        return indented(text), answers, ""
    except SyntaxError as error:
        return "", False, f"it cannot be read: {error}"


def _guarantees(bound: bool) -> dict[str, Guarantee]:
    walls = "the interpreter has none to give, and its process has none (bubblewrap)"
    one = Guarantee("kernel", "bound to one processor, which it cannot change")
    cpu = one if bound else Guarantee("supervised", "one thread that is ended with its time")
    return {
        "network": Guarantee("kernel", walls),
        "files": Guarantee("kernel", walls),
        "privileges": Guarantee("kernel", "no capabilities, no new privileges, few system calls"),
        "pids": Guarantee("kernel", "the interpreter starts no programs; a pid namespace of its own"),
        "memory": Guarantee("kernel", "the interpreter's count of objects, and the process's address space"),
        "cpu": cpu,
        "time": Guarantee("kernel", "the interpreter's clock, and ours, at whose end its process is killed"),
        "output": Guarantee("kernel", "counted as it comes; the run ends at the limit"),
    }
