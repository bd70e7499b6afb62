"""`PureTier`: whether a run may be done in the pure tier of this machine, and doing it there."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.json import loads
from raptorflow.sandbox.drivers.monty.outcome import BROKEN, NAME
from raptorflow.sandbox.drivers.monty.runner import PureRunner, Told, report_of
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.probing import Boundary, ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.model import VARIABLES
from raptorflow.skills.pure.script import script_of, script_text

ENABLE = "RAPTORFLOW_SANDBOX__MONTY__ENABLED=true"


@dataclass(frozen=True)
class Unsuited:
    """Why a run is not done there."""

    reason: str


class PureTier:
    """The pure tier of one manager. Whatever it cannot do is done in a sandbox.

    Args:
        bubblewraps: programs that may build the walls around its processes, best first.
        settings: whether it is used, and sizes.
        allow_supervised: whether it is used also where the kernel does not hold every guarantee.
    """

    name = NAME

    def __init__(
        self, bubblewraps: Sequence[Path], settings: MontySettings, *, allow_supervised: bool = False
    ) -> None:
        self._bubblewraps = bubblewraps
        self._settings = settings
        self._allow_supervised = allow_supervised
        self._runner: PureRunner | None = None
        self._begun = False
        self._report: ProbeReport | None = None
        self._probing = asyncio.Lock()

    async def probe(self) -> ProbeReport:
        """Whether it can be used here, found by trying, once."""
        async with self._probing:
            if self._report is None:
                self._report = await self._first_that_holds()
            return self._report

    async def run(
        self, spec: SandboxSpec, told: Told, instead_of: Boundary = "shared-kernel"
    ) -> SandboxResult | Unsuited:
        """Do a run there.

        Args:
            spec: what to run.
            told: awaited before the script is.
            instead_of: what stands between code and this machine in the sandbox that would do it otherwise. A
                skill must not choose less by declaring itself pure.

        Returns:
            The result, which may say that the script could not be run there (`is_final`), or why it was not
            begun.
        """
        report = await self.probe()
        if self._runner is None:
            return Unsuited(report.problem or "it is not there")
        if instead_of != "shared-kernel" and not self._settings.weaker_boundary:
            return Unsuited(f"a {instead_of} is to hold it, and the tier has none")
        if report.weakened and not self._allow_supervised:
            return Unsuited(
                f"the kernel does not hold {', '.join(report.weakened)}, and the policy asks for it"
            )
        script = await asyncio.to_thread(_script, spec)
        if isinstance(script, Unsuited):
            return script
        if not self._begun:
            self._begun = True
            self._runner.start()
        try:
            return await self._runner.run(
                script,
                spec.stdin,
                spec.limits,
                arguments=spec.command[2:],
                variables=loads(spec.env.get(VARIABLES) or "{}"),
                told=told,
            )
        except SandboxUnavailable as error:
            return Unsuited(error.message)

    def is_final(self, spec: SandboxSpec, result: SandboxResult) -> bool:
        """Whether a sandbox would give the same: not for an error that may be the interpreter's own.

        Nor for memory, of which a run gets less here than the skill may use.
        """
        if result.status == "oom":
            return spec.limits.memory_bytes <= self._settings.max_memory_bytes
        return result.status != "sandbox_error" and result.exit_code != BROKEN

    async def close(self) -> None:
        """End what is left."""
        if self._runner:
            await self._runner.close()

    async def _first_that_holds(self) -> ProbeReport:
        if not self._settings.enabled:
            return report_of("it is switched off", ENABLE)
        report = report_of("bubblewrap is not installed", "apt-get install bubblewrap")
        for bubblewrap in self._bubblewraps:
            runner = PureRunner(bubblewrap, self._settings)
            try:
                report = await _tried(runner)
                if report.available:
                    self._runner = runner
                    break
            finally:
                if self._runner is not runner:
                    await runner.close()
        return report


async def _tried(runner: PureRunner) -> ProbeReport:
    """Its report; what only it lacks, such as room for its files, is no fault of whoever asks."""
    try:
        return await runner.probe()
    except OSError as error:
        return report_of(f"it cannot be tried: {error.strerror}", "Make room for temporary files.")


def _script(spec: SandboxSpec) -> str | Unsuited:
    """The script of a run that needs nothing else."""
    path = script_of(spec.command)
    if path is None:
        return Unsuited("its command does not give Python one file of the skill")
    if spec.reach.reaches_outside() or spec.inputs:
        return Unsuited("it reaches outside, or has input files")
    if spec.limits.cpus < 1:
        return Unsuited("it is to get less than one processor")
    file = spec.skill_dir.resolve() / path
    # A link could show a file of this machine, and a script's words may come back in an error's text.
    if file.resolve() != file or not file.is_file():
        return Unsuited("its script is no file of the skill")
    if any(os.path.isfile(spec.skill_dir / part) for part in spec.command[2:]):
        return Unsuited("its arguments name a file")
    text = script_text(file.read_bytes())
    return Unsuited("its script is no text") if text is None else text
