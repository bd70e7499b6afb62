"""`SandboxManager`: chooses the driver, holds to the policy, and limits how many run at once."""

import asyncio
import dataclasses

from prometheus_client import Counter, Histogram

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import SandboxDriver
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.errors import SandboxGuaranteeMissing, SandboxUnavailable
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

log = logger(__name__)

RUNS = Counter("raptorflow_sandbox_runs_total", "Runs in a sandbox", ["driver", "status"])
WALL = Histogram("raptorflow_sandbox_run_seconds", "Time of a run", ["driver"])
START = Histogram("raptorflow_sandbox_start_seconds", "Time until a command was let go", ["driver"])


class SandboxManager:
    """The facade of the sandbox room.

    Args:
        settings: the policy.
        drivers: by name; the settings name the one that is used.
    """

    def __init__(self, settings: SandboxSettings, drivers: dict[str, SandboxDriver]) -> None:
        self._settings = settings
        self._drivers = drivers
        self._free = asyncio.Semaphore(settings.max_concurrent)

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command under all guarantees that the policy asks for.

        Cancelling it ends every process of the run.

        Raises:
            SandboxSpecInvalid: what was asked for makes no sense.
            SandboxUnavailable: no sandbox can be made here.
            SandboxGuaranteeMissing: the kernel cannot keep a guarantee and the policy wants it kept.
        """
        spec.check(max_input_bytes=self._settings.max_input_bytes)
        driver = await self._allowed_driver()
        async with self._free:
            result = await run_once(driver, spec, settings=self._settings)
            report = await driver.probe()
            result = dataclasses.replace(result, weakened=report.weakened)
        RUNS.labels(result.driver, result.status).inc()
        WALL.labels(result.driver).observe(result.wall_ms / 1000)
        START.labels(result.driver).observe(result.start_ms / 1000)
        log.info(
            "sandbox run",
            sandbox_run=spec.run_id,
            driver=result.driver,
            status=result.status,
            wall_ms=result.wall_ms,
            supervised=list(result.weakened),
        )
        return result

    async def probe(self) -> list[ProbeReport]:
        """What each driver can do here."""
        return [await driver.probe() for driver in self._drivers.values()]

    async def check(self) -> None:
        """Verify that a run would be allowed.

        Raises:
            SandboxUnavailable: no sandbox can be made here.
            SandboxGuaranteeMissing: the kernel cannot keep a guarantee and the policy wants it kept.
        """
        await self._allowed_driver()

    async def close(self) -> None:
        """Remove what the drivers keep between runs."""
        for driver in self._drivers.values():
            await driver.close()

    async def _allowed_driver(self) -> SandboxDriver:
        driver = self._drivers.get(self._settings.driver)
        if driver is None:
            known = ", ".join(sorted(self._drivers))
            raise SandboxUnavailable(
                f"There is no sandbox driver {self._settings.driver}.",
                hint=f"Set RAPTORFLOW_SANDBOX__DRIVER to one of: {known}.",
            )
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


def build_manager(settings: SandboxSettings) -> SandboxManager:
    """The manager of this machine's drivers."""
    local = LocalDriver(settings)
    return SandboxManager(settings, {local.name: local})
