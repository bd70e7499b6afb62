"""`raptorflow run`: everything, from one command, until Ctrl-C."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.markup import escape

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.sample_files import samples_fingerprint
from raptorflow.cli.signals import run_until_signal
from raptorflow.cli.stages import Stages
from raptorflow.settings import load_settings
from raptorflow.stack.address import Address
from raptorflow.stack.launch import Running, program_environment, running_stack
from raptorflow.stack.process import all_or_none, run_to_end

FIRST_STEPS_SECONDS = 120.0
SAMPLES_SECONDS = 600.0
SAMPLES_STAMP = "samples"
PORTS = Number(gte=1, lte=65535)


def run(
    *,
    host: Annotated[str, Parameter(env_var="RAPTORFLOW_HOST")] = "127.0.0.1",
    port: Annotated[int, Parameter(env_var="RAPTORFLOW_PORT", validator=PORTS)] = 8000,
    data: Path | None = None,
) -> None:
    """Start RaptorFlow: database, Valkey, server and worker; Ctrl-C stops them all.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        data: the folder for everything local; RAPTORFLOW_DATA__DIR or a per-user default when not given.
    """
    # Being stopped is how this ends, and no failure.
    run_until_signal(_serve(Address(host, port), data))


async def _serve(address: Address, data: Path | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    stages, watch = Stages(console), Stopwatch()
    settings = load_settings()
    if data is not None:
        settings.data.dir = data
    async with running_stack(settings, address, stage=stages.stage, report=stages.report) as running:
        with stages.stage("Starting the server and a worker"):
            link = await start_and_let_in(running)
        await running.unless_failed(bring_samples(running, stages))
        console.print(f"\nRaptorFlow runs at [bold]{escape(running.url)}[/bold]", end=" ")
        console.print(f"[dim](ready in {watch.elapsed_ms() / 1000:.1f} s)[/dim]")
        console.print("Sign in as administrator, once, within 15 minutes:")
        console.print(f"  [bold]{escape(link)}[/bold]")
        console.print(f"Logs: {escape(str(running.settings.data_dir() / 'logs'))}    Stop: Ctrl-C")
        await running.unless_failed(asyncio.Event().wait())


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
