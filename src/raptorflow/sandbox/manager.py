"""`SandboxManager`: chooses the driver, holds to the policy, and sees each run through."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.tasks import to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.ports import Resolver, Secrets, ServiceCaller
from raptorflow.sandbox.driver import Handle, HasOwnPython, SandboxDriver
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.monty.tier import PureTier
from raptorflow.sandbox.errors import (
    SandboxGone,
    SandboxGuaranteeMissing,
    SandboxStartFailed,
    SandboxUnavailable,
)
from raptorflow.sandbox.metrics import observe
from raptorflow.sandbox.pool.admission import Admission
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.egress import way_out
from raptorflow.sandbox.running.journal import Journal, place_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.pure import PureRun
from raptorflow.sandbox.running.run import Run
from raptorflow.sandbox.running.secrets import FolderSecrets
from raptorflow.sandbox.running.supply import Supply
from raptorflow.sandbox.sessions.open import SandboxSessions
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

log = logger(__name__)

DRAIN_SECONDS = 10.0
Lent = tuple[LiveSandbox, SandboxSpec]


@dataclass(frozen=True)
class Surroundings:
    """What sandboxes are given by others.

    Attributes:
        secrets: an organisation's secrets, by its id; files of the settings' folder when not given.
        caller: does service calls; without one they answer that the service is not connected.
        resolver: looks up names; the system's when not given.
        audit: where what happens is written; None writes nothing.
    """

    secrets: Callable[[str], Secrets] | None = None
    caller: ServiceCaller | None = None
    resolver: Resolver | None = None
    audit: AuditLog | None = None


class SandboxManager:
    """The facade of the sandbox room.

    Args:
        settings: the policy.
        drivers: by name; the settings name the one that is used.
        around: what sandboxes are given by others.
        pure: where runs are tried first that only compute; None tries none.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        drivers: Mapping[str, SandboxDriver],
        around: Surroundings = Surroundings(),
        pure: PureTier | None = None,
    ) -> None:
        self._settings = settings
        self._drivers = drivers
        self._around = around
        self._pure = pure
        self._journal = Journal(around.audit)
        self._lent: set[LiveSandbox] = set()
        self._broker = Broker(settings.broker, self._journal.decided, around.caller, around.resolver)
        self._admission = Admission(settings.max_concurrent, settings.queue)
        self._sessions = SandboxSessions(
            self._lend_for_long, settings, settings.sessions, journal=self._journal
        )
        self._supplies = {
            name: Supply(driver, settings.pool, settings.start_seconds, settings.open_files)
            for name, driver in drivers.items()
        }

    async def start(self) -> None:
        """Open the audit log, and find out whether the pure tier can be used.

        Raises:
            AuditUnavailable: it cannot be written.
        """
        if self._around.audit:
            await self._around.audit.start()
        if self._pure:
            await self._pure.probe()

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command under all guarantees that the policy asks for.

        A pure one is tried in the pure tier first; the result's `driver` says where it was run.

        Cancelling it ends every process of the run.

        Raises:
            SandboxSpecInvalid: what was asked for makes no sense.
            SandboxUnavailable: no sandbox can be made here.
            SandboxGuaranteeMissing: the kernel cannot keep a guarantee and the policy wants it kept.
            SandboxBusy: too many wait already.
            AuditUnavailable: what happens could not be written down.
        """
        watch = Stopwatch()
        try:
            spec.check(
                max_input_bytes=self._settings.max_input_bytes,
                max_input_files_bytes=self._settings.max_input_files_bytes,
            )
            spec = dataclasses.replace(spec, limits=self._capped(spec))
            self._journal.check()
            driver = await self._allowed_driver()
            async with self._admission.place(spec.tenant):
                result = await self._purely(driver, spec, watch) or await self._run(driver, spec, watch)
        except RaptorFlowError as error:
            await self._journal.refused(spec, error)
            raise
        observe(spec, result)
        return result

    async def session(self, spec: SandboxSpec) -> SandboxSession:
        """A sandbox that keeps an interpreter's state between pieces of code, until it is closed.

        Of the spec, the command, standard input and the folder of artefacts are not used; `timeout_seconds`
        is the most for each piece.

        Raises:
            SandboxSpecInvalid: what was asked for makes no sense.
            SandboxBusy: too many sessions are open, or too many wait for a place.
            SandboxUnavailable: no sandbox can be made here.
            SandboxGuaranteeMissing: the kernel cannot keep a guarantee and the policy wants it kept.
            SandboxStartFailed: the sandbox, or the interpreter in it, does not start.
            AuditUnavailable: what happens could not be written down.
        """
        try:
            return await self._sessions.open(dataclasses.replace(spec, limits=self._capped(spec)))
        except RaptorFlowError as error:
            await self._journal.refused(spec, error)
            raise

    async def probe(self, only: str | None = None) -> list[ProbeReport]:
        """What each driver can do here, or one alone."""
        every = {**self._drivers, **({self._pure.name: self._pure} if self._pure else {})}
        return [await each.probe() for name, each in every.items() if only in {None, name}]

    async def check(self) -> None:
        """Verify that a run would be allowed.

        Raises:
            SandboxUnavailable: no sandbox can be made here.
            SandboxGuaranteeMissing: the kernel cannot keep a guarantee and the policy wants it kept.
        """
        await self._allowed_driver()

    async def close(self) -> None:
        """Let what runs end, end what does not, and remove what is kept between runs."""
        await self._sessions.close()
        if await self._admission.drain(DRAIN_SECONDS):
            # Whoever waits for what runs in them is told, and what came of it is still written down.
            await asyncio.gather(*(sandbox.link.close() for sandbox in tuple(self._lent)))
            await self._admission.drain(self._settings.start_seconds + DRAIN_SECONDS)
        for supply in self._supplies.values():
            await supply.close()
        for driver in self._drivers.values():
            await driver.close()
        if self._pure:
            await self._pure.close()
        await self._journal.close()

    async def list(self) -> list[Handle]:
        """The sandboxes that there are of the driver in use, whoever made them; those kept ready as well.

        Raises:
            SandboxUnavailable: there is no such driver, or it cannot be asked.
        """
        return await self._driver().list()

    def _capped(self, spec: SandboxSpec) -> Limits:
        """The run's limits, no longer than the policy lets any run take."""
        seconds = min(spec.limits.timeout_seconds, self._settings.max_seconds)
        return spec.limits.model_copy(update={"timeout_seconds": seconds})

    async def _purely(
        self, driver: SandboxDriver, spec: SandboxSpec, watch: Stopwatch
    ) -> SandboxResult | None:
        """A pure run in the pure tier; None for a sandbox's runs, and where the tier could not do it."""
        if not spec.pure or self._pure is None:
            return None
        boundary = (await driver.probe()).boundary
        return await PureRun(self._pure, self._journal, spec, watch, boundary).result()

    async def _run(self, driver: SandboxDriver, spec: SandboxSpec, watch: Stopwatch) -> SandboxResult:
        """One run, from taking a sandbox to its end."""
        try:
            async with self._lend(driver, spec, watch) as (sandbox, told):
                result = await self._through(sandbox, told, watch)
                await self._journal.ran(spec, place_of(sandbox), result)
        except (SandboxStartFailed, SandboxGone) as error:
            return SandboxResult(
                "sandbox_error", driver.name, start_ms=watch.elapsed_ms(), message=error.message
            )
        return dataclasses.replace(result, weakened=(await driver.probe()).weakened)

    async def _through(self, sandbox: LiveSandbox, spec: SandboxSpec, watch: Stopwatch) -> SandboxResult:
        try:
            return await Run(spec, self._settings, watch).through(sandbox)
        except asyncio.CancelledError:
            await self._journal.cancelled(spec, place_of(sandbox))
            raise

    @asynccontextmanager
    async def _lend(self, driver: SandboxDriver, spec: SandboxSpec, watch: Stopwatch) -> AsyncGenerator[Lent]:
        """A sandbox with its way out, written down and destroyed in the end, and the spec as it is inside."""
        if isinstance(driver, HasOwnPython) and driver.python:
            spec = dataclasses.replace(spec, image_python=driver.python)
        sandbox, path = await self._supplies[driver.name].take(blueprint_of(spec), {"run": spec.run_id})
        lived = Stopwatch()
        self._lent.add(sandbox)
        try:
            await self._journal.created(spec, place_of(sandbox), path, watch.elapsed_ms())
            async with way_out(self._broker, spec, sandbox, self._secrets(spec)) as told:
                yield sandbox, told
        finally:
            self._lent.discard(sandbox)
            await to_the_end(self._take_back(spec, sandbox, lived))

    async def _take_back(self, spec: SandboxSpec, sandbox: LiveSandbox, lived: Stopwatch) -> None:
        """Destroy it, and write that down."""
        try:
            await sandbox.destroy()
        except SandboxUnavailable as error:
            # Nor is what came of the run lost over that; who cleans up next removes it.
            log.error("a sandbox was not removed", sandbox=sandbox.handle.sandbox_id, reason=error.message)
        else:
            await self._journal.destroyed(spec, place_of(sandbox), lived.elapsed_ms())

    @asynccontextmanager
    async def _lend_for_long(self, spec: SandboxSpec) -> AsyncGenerator[Lent]:
        """What a run is lent, for a session; it holds a place all the while."""
        self._journal.check()
        driver = await self._allowed_driver()
        async with self._admission.place(spec.tenant), self._lend(driver, spec, Stopwatch()) as lent:
            yield lent

    def _secrets(self, spec: SandboxSpec) -> Secrets:
        if self._around.secrets:
            return self._around.secrets(spec.tenant)
        return FolderSecrets(self._settings.secrets_dir, spec.tenant)

    def _driver(self) -> SandboxDriver:
        driver = self._drivers.get(self._settings.driver)
        if driver is None:
            known = ", ".join(sorted(self._drivers))
            raise SandboxUnavailable(
                f"There is no sandbox driver {self._settings.driver}.",
                hint=f"Set RAPTORFLOW_SANDBOX__DRIVER to one of: {known}.",
            )
        return driver

    async def _allowed_driver(self) -> SandboxDriver:
        driver = self._driver()
        report = await driver.probe()
        if not report.available:
            raise SandboxUnavailable(f"The sandbox cannot be used: {report.problem}", hint=report.remedy)
        lacking = report.missing if self._settings.allow_supervised else report.missing + report.weakened
        if lacking:
            reasons = "; ".join(f"{name}: {report.guarantees[name].by}" for name in lacking)
            raise SandboxGuaranteeMissing(
                f"The kernel does not hold {', '.join(lacking)} for this user, and the policy asks for it "
                f"({reasons}).",
                details={"guarantees": list(lacking)},
            )
        return driver


def build_manager(
    settings: SandboxSettings, *, data_dir: Path | None = None, around: Surroundings | None = None
) -> SandboxManager:
    """The manager of this machine's drivers.

    Args:
        settings: the policy.
        data_dir: where the audit log is kept unless the settings say where; None keeps none.
        around: what sandboxes are given by others.
    """
    given = around or Surroundings()
    if data_dir:
        given = dataclasses.replace(given, audit=AuditLog(settings.audit.folder(data_dir), settings.audit))
    drivers: list[SandboxDriver] = [
        LocalDriver(settings),
        DockerDriver(settings.docker),
        MicroVmDriver(settings.microvm, settings),
        KubernetesDriver(settings.kubernetes),
    ]
    pure = PureTier(bubblewraps(settings), settings.monty, allow_supervised=settings.allow_supervised)
    return SandboxManager(settings, {driver.name: driver for driver in drivers}, given, pure)
