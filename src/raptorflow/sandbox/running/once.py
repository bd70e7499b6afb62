"""One run from nothing to nothing: build a sandbox, use it, destroy it."""

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.driver import SandboxDriver
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.live import new_sandbox_id, start
from raptorflow.sandbox.running.run import Run
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec


async def run_once(driver: SandboxDriver, spec: SandboxSpec, *, settings: SandboxSettings) -> SandboxResult:
    """Run a command in a sandbox of its own, outside of any pool.

    Raises:
        FileRefused: an input does not fit.
        SandboxGone: the sandbox ended before the program was started.
    """
    watch = Stopwatch()
    try:
        sandbox = await start(
            driver, blueprint_of(spec), new_sandbox_id(), {"run": spec.run_id}, settings.start_seconds
        )
    except SandboxStartFailed as error:
        return SandboxResult("sandbox_error", driver.name, start_ms=watch.elapsed_ms(), message=error.message)
    try:
        return await Run(spec, settings, watch).through(sandbox)
    finally:
        await sandbox.destroy()
