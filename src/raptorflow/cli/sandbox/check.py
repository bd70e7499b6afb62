"""`raptorflow sandbox check`: which guarantees hold here, who holds them, and what would hold the others."""

import asyncio
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import dumps
from raptorflow.cli.checks import checks_table, sandbox_checks
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.sandbox.drivers.monty.tier import PureTier
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.settings import load_settings


def check(*, driver: str | None = None, json: bool = False) -> None:
    """Try what each kind of sandbox holds on this machine; exit 1 when the one that is used cannot be.

    Args:
        driver: look at this one alone; every one, and the configured one is judged, when not given.
        json: print one JSON object instead of tables.
    """
    configure_telemetry(TelemetrySettings(log_level="ERROR"), service="cli")
    settings = load_settings().sandbox
    used = driver or settings.driver
    console = Console(highlight=False, quiet=json)
    with console.status("Trying what sandboxes hold on this machine ..."):
        shown, refusal = asyncio.run(_look(settings.model_copy(update={"driver": used}), driver))
    if json:
        print(dumps(_document(used, shown, refusal)))
    for report in shown:
        between = f"  {report.boundary} between code and this machine" if report.available else ""
        console.print(f"[bold]{escape(report.driver)}[/bold][dim]{between}[/dim]")
        console.print(checks_table(sandbox_checks(report)))
    if refusal:
        console.print(f"[red]✗[/red] {escape(used)} cannot be used: {escape(refusal.message)}")
        if refusal.hint:
            console.print(f"[bold]-> {escape(refusal.hint)}[/bold]")
        sys.exit(1)


async def _look(
    settings: SandboxSettings, only: str | None
) -> tuple[list[ProbeReport], RaptorFlowError | None]:
    """What each driver holds, and why the one that is used cannot be."""
    manager = build_manager(settings)
    try:
        reports = await manager.probe(only)
        try:
            # The pure tier is no sandbox that could be the one that is used: it stands beside that.
            if settings.driver != PureTier.name:
                await manager.check()
        except RaptorFlowError as refusal:
            return reports, refusal
        return reports, None
    finally:
        await manager.close()


def _document(used: str, reports: list[ProbeReport], refusal: RaptorFlowError | None) -> dict[str, Any]:
    return {
        "driver": used,
        "ok": refusal is None,
        "error": refusal.problem() if refusal else None,
        "drivers": [_row(report) for report in reports],
    }


def _row(report: ProbeReport) -> dict[str, Any]:
    return {
        "driver": report.driver,
        "available": report.available,
        "optional": report.optional,
        "boundary": report.boundary,
        "problem": report.problem,
        "guarantees": [
            {
                "guarantee": name,
                "holder": kept.holder,
                "by": kept.by,
                "remedy": None if kept.holder == "kernel" else report.remedy,
            }
            for name, kept in report.guarantees.items()
        ],
    }
