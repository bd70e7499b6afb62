"""The `local` driver: bubblewrap, seccomp, control groups and resource limits on this machine's kernel."""

import asyncio
import dataclasses
import os
import weakref
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.local.cgroups.detect import find_groups
from raptorflow.sandbox.drivers.local.cgroups.group import Group, Groups
from raptorflow.sandbox.drivers.local.leftovers import Note, new_name, reap, remove_noted, state_folder
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.local.run import NAME, LocalRun, Tools
from raptorflow.sandbox.drivers.local.selftest import Run, SelfTest, remedy_for
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.probing import Guarantee, ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

log = logger(__name__)

UNWATCHED_SECONDS = 1.0


class LocalDriver:
    """Runs commands under bubblewrap.

    Args:
        settings: limits of starting and of artefacts.
    """

    name = NAME

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._groups: Groups | None = None
        self._clean_up: weakref.finalize[..., LocalDriver] | None = None
        self._report: ProbeReport | None = None
        self._bwrap: Path | None = None
        self._probing = asyncio.Lock()
        self._made = 0
        self._name = ""

    async def probe(self) -> ProbeReport:
        """Try a sandbox, once, and say who keeps which guarantee."""
        async with self._probing:
            if self._report is None:
                self._report = await self._probe()
        return self._report

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command; the result says how it ended and which guarantees were only supervised."""
        report = await self.probe()
        if self._bwrap is None:
            return SandboxResult("sandbox_error", self.name, message=report.problem)
        try:
            result = await self._run(spec, self._bwrap, self._settings)
        except OSError as error:
            # Somebody may have removed our groups: look at the machine anew before the next run.
            self._report = None
            return SandboxResult("sandbox_error", self.name, message=f"The sandbox cannot be held: {error}.")
        return dataclasses.replace(result, weakened=report.weakened)

    async def close(self) -> None:
        """Remove this manager's groups. A run after that would make them anew."""
        if self._clean_up:
            self._clean_up()
        self._groups, self._clean_up, self._report, self._bwrap = None, None, None, None

    async def _run(self, spec: SandboxSpec, bwrap: Path, settings: SandboxSettings) -> SandboxResult:
        watch = Stopwatch()
        group = self._group(spec)
        try:
            return await LocalRun(spec, Tools(bwrap, group, settings, self._name), watch).execute()
        finally:
            if group:
                group.remove()

    def _group(self, spec: SandboxSpec) -> Group | None:
        self._made += 1
        return self._groups.make(f"{self._made}-{spec.run_id}", spec.limits) if self._groups else None

    async def _probe(self) -> ProbeReport:
        try:
            python = self._settings.python or sandbox_python()
            await asyncio.to_thread(self._prepare_groups)
            return await self._try_each(python)
        except SandboxUnavailable as error:
            return ProbeReport(self.name, problem=error.message, remedy=error.hint)
        except OSError as error:
            return ProbeReport(self.name, problem=f"The sandbox cannot be prepared: {error}.")

    def _prepare_groups(self) -> None:
        """Clean up after dead managers, and make a place for our groups where this user may."""
        if self._clean_up:
            self._clean_up()
        folder = state_folder(self._settings)
        if count := reap(folder):
            log.info("removed what dead sandbox managers left", managers=count)
        self._name = new_name()
        self._groups = find_groups(self._name)
        made = self._groups.folders if self._groups else ()
        note = Note(folder, self._name)
        note.write(made)
        # Also at the end of a program that does not close its manager.
        self._clean_up = weakref.finalize(self, remove_noted, note, made)

    def _unwatched(self, bwrap: Path) -> Run:
        """Runs for the self-test, watched so rarely that what stops them is the kernel."""
        settings = self._settings.model_copy(update={"watch_seconds": UNWATCHED_SECONDS})
        return lambda spec: self._run(spec, bwrap, settings)

    async def _try_each(self, python: Path) -> ProbeReport:
        problems: list[str] = []
        for bwrap in bubblewraps(self._settings):
            guarantees, problem = await SelfTest(self._unwatched(bwrap), python, self._groups).execute()
            if problem is None:
                self._bwrap = bwrap
                return ProbeReport(self.name, guarantees, remedy=_remedy(guarantees))
            problems.append(f"{bwrap}: {problem}")
        if not problems:
            return ProbeReport(
                self.name, problem="Bubblewrap is not installed.", remedy="apt-get install bubblewrap"
            )
        text = "; ".join(problems)
        return ProbeReport(self.name, problem=text, remedy=remedy_for(text))


def _remedy(guarantees: dict[str, Guarantee]) -> str | None:
    """What would make the kernel hold what is only supervised."""
    if all(guarantee.holder == "kernel" for guarantee in guarantees.values()):
        return None
    if os.geteuid() == 0:
        return "Mount the memory, pids and cpu controllers below /sys/fs/cgroup, writable."
    return "systemd-run --user --scope -p Delegate=yes make run"
