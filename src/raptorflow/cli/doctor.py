"""`raptorflow doctor`: what this machine has and lacks, and the command that mends it."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raptorflow.base.json import dumps
from raptorflow.cli.machine import Check, State, machine_checks
from raptorflow.cli.reach import model_check, reach_parts
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.settings import Settings, load_settings

MARKS: dict[State, str] = {
    "ok": "[green]✓[/green]",
    "weaker": "[yellow]![/yellow]",
    "missing": "[red]✗[/red]",
    "optional": "[dim]-[/dim]",
}


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
        console.print(_table(checks))
    if _missing(checks):
        sys.exit(1)


def _missing(checks: list[Check]) -> bool:
    return any(check.state == "missing" for check in checks)


def all_checks(settings: Settings) -> Iterator[Check]:
    """The machine, and what is configured on it."""
    yield from machine_checks(settings.data.dir)
    for report in asyncio.run(build_manager(settings.sandbox).probe()):
        yield from sandbox_checks(report)
    yield from asyncio.run(reach_parts(settings))
    yield _model(settings)


HELD: dict[str, State] = {"kernel": "ok", "supervised": "weaker", "missing": "missing"}


def sandbox_checks(report: ProbeReport) -> Iterator[Check]:
    """What a sandbox driver can keep here: found by trying, not by reading versions."""
    name = f"Sandbox {report.driver}"
    if report.problem:
        yield Check(name, "missing", report.problem, report.remedy)
    for guarantee, kept in report.guarantees.items():
        remedy = None if kept.holder == "kernel" else report.remedy
        yield Check(f"{name}: {guarantee}", HELD[kept.holder], f"{kept.holder}: {kept.by}", remedy)


def _model(settings: Settings) -> Check:
    model = settings.orchestrator.model
    if model == "offline":
        found = "offline: skills are picked by rules, no language model is connected"
        remedy = "Settings in the web interface, or RAPTORFLOW_MODEL=anthropic:NAME (or openai:NAME)"
        return Check("Language model", "optional", found, remedy)
    return model_check(settings.orchestrator)


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        remedy = f"\n[bold]-> {escape(check.remedy)}[/bold]" if check.remedy else ""
        table.add_row(MARKS[check.state], check.name, escape(check.found) + remedy)
    return table
