"""`raptorflow doctor`: what this machine has and lacks, and the command that mends it."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console

from raptorflow.base.json import dumps
from raptorflow.cli.checks import checks_table, sandbox_checks
from raptorflow.cli.machine import Check, machine_checks
from raptorflow.cli.reach import model_check, reach_parts
from raptorflow.sandbox.drivers.monty.tier import PureTier
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.settings import Settings, load_settings


def doctor(*, json: bool = False) -> None:
    """Show what this machine has and lacks; exits 1 when something that is needed is missing.

    Args:
        json: print one JSON object instead of a table.
    """
    if json:
        checks = list(all_checks(load_settings()))
        print(dumps({"ok": not _missing(checks), "checks": [asdict(check) for check in checks]}))
    else:
        console = Console(highlight=False)
        with console.status("Looking at this machine ..."):
            checks = list(all_checks(load_settings()))
        console.print(checks_table(checks))
    if _missing(checks):
        sys.exit(1)


def _missing(checks: list[Check]) -> bool:
    return any(check.state == "missing" for check in checks)


def all_checks(settings: Settings) -> Iterator[Check]:
    """The machine, and what is configured on it."""
    yield from machine_checks(settings.data.dir)
    for report in asyncio.run(_sandboxes(settings.sandbox)):
        yield from sandbox_checks(report)
    yield from asyncio.run(reach_parts(settings))
    yield _model(settings)


async def _sandboxes(settings: SandboxSettings) -> list[ProbeReport]:
    """The one that is used, and those that are used beside it where they are there."""
    manager = build_manager(settings)
    try:
        return [*await manager.probe(settings.driver), *await manager.probe(PureTier.name)]
    finally:
        await manager.close()


def _model(settings: Settings) -> Check:
    model = settings.orchestrator.model
    if model == "offline":
        found = "offline: skills are picked by rules, no language model is connected"
        remedy = "Settings in the web interface, or RAPTORFLOW_MODEL=anthropic:NAME (or openai:NAME)"
        return Check("Language model", "optional", found, remedy)
    return model_check(settings.orchestrator)
