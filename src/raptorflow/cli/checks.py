"""Facts about this machine in the terminal: a mark, a name, what was found, and the command that mends it."""

from collections.abc import Iterable, Iterator

from rich.markup import escape
from rich.table import Table

from raptorflow.cli.machine import Check, State
from raptorflow.sandbox.probing import ProbeReport

MARKS: dict[State, str] = {
    "ok": "[green]✓[/green]",
    "weaker": "[yellow]![/yellow]",
    "missing": "[red]✗[/red]",
    "optional": "[dim]-[/dim]",
}
HELD: dict[str, State] = {"kernel": "ok", "supervised": "weaker", "missing": "missing"}


def sandbox_checks(report: ProbeReport) -> Iterator[Check]:
    """What a sandbox driver can keep here: found by trying, not by reading versions."""
    name = f"Sandbox {report.driver}"
    if report.problem:
        state: State = "optional" if report.optional else "missing"
        yield Check(name, state, report.problem, report.remedy)
    for guarantee, kept in report.guarantees.items():
        remedy = None if kept.holder == "kernel" else report.remedy
        yield Check(f"{name}: {guarantee}", HELD[kept.holder], f"{kept.holder}: {kept.by}", remedy)


def checks_table(checks: Iterable[Check]) -> Table:
    """One line a fact."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        remedy = f"\n[bold]-> {escape(check.remedy)}[/bold]" if check.remedy else ""
        table.add_row(MARKS[check.state], check.name, escape(check.found) + remedy)
    return table
