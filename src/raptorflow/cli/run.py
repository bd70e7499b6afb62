"""`raptorflow run`: everything, from one command, until Ctrl-C."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.sample_files import samples_fingerprint
from raptorflow.cli.stages import Stages
from raptorflow.settings import Settings
from raptorflow.stack.launch import Address, Running, program_environment, running_stack
from raptorflow.stack.process import all_or_none, run_to_end

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_STEPS_SECONDS = 120.0
SAMPLES_SECONDS = 600.0
SAMPLES_STAMP = "samples"


def run(
    *,
    host: Annotated[str, Parameter(env_var="RAPTORFLOW_HOST")] = "127.0.0.1",
    port: Annotated[int, Parameter(env_var="RAPTORFLOW_PORT")] = 8000,
    data: Path | None = None,
) -> None:
    """Start RaptorFlow: database, Valkey, server and worker; Ctrl-C stops them all.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        data: the folder for everything local; RAPTORFLOW_DATA__DIR or a per-user default when not given.
    """
    asyncio.run(_run(Address(host, port), data))


async def _run(address: Address, data: Path | None) -> None:
    serving = asyncio.create_task(_serve(address, data))
    loop = asyncio.get_running_loop()
    interrupted = False

    def interrupt() -> None:
        # Once: stopping takes seconds at most, and a second Ctrl-C must not leave processes behind.
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            serving.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        await serving
    except asyncio.CancelledError:
        if not interrupted:
            raise


async def _serve(address: Address, data: Path | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    stages, watch = Stages(console), Stopwatch()
    settings = Settings()
    if data is not None:
        settings.data.dir = data
    async with running_stack(settings, address, stage=stages.stage, report=stages.report) as running:
        with stages.stage("Starting the server and a worker"):
            link = await start_and_let_in(running)
        await bring_samples(running, stages)
        console.print(f"\nRaptorFlow runs at [bold]{escape(running.url)}[/bold]", end=" ")
        console.print(f"[dim](ready in {watch.elapsed_ms() / 1000:.1f} s)[/dim]")
        console.print("Sign in as administrator, once, within 15 minutes:")
        console.print(f"  [bold]{escape(link)}[/bold]")
        console.print(f"Logs: {escape(str(running.settings.data_dir() / 'logs'))}    Stop: Ctrl-C")
        await asyncio.Event().wait()


async def bring_samples(running: Running, stages: Stages) -> None:
    """Publish and install the sample skills when they are not this program's; a failure stops nothing."""
    if running.has_stamp(SAMPLES_STAMP, samples_fingerprint()):
        return
    try:
        with stages.stage("Installing the sample skills"):
            await run_module(running, "raptorflow.cli.samples", seconds=SAMPLES_SECONDS)
        running.stamp(SAMPLES_STAMP, samples_fingerprint())
    except RaptorFlowError as error:
        stages.report(error.message)


async def run_module(running: Running, module: str, *arguments: str, seconds: float) -> str:
    """Run one of our modules to its end with the stack's settings; what it printed."""
    name = module.rpartition(".")[2]
    return await run_to_end(
        f"`{name}`",
        [sys.executable, "-P", "-m", module, *arguments],
        environment=program_environment(running.settings),
        log=running.settings.data_dir() / "logs" / f"{name}.log",
        seconds=seconds,
    )


async def start_and_let_in(running: Running) -> str:
    """Start server and worker, and meanwhile make the administrator's one-time sign-in URL."""
    program = run_module(running, "raptorflow.cli.first_steps", running.url, seconds=FIRST_STEPS_SECONDS)
    steps = asyncio.create_task(program)
    await all_or_none(running.start_programs(), steps)
    return steps.result()
