"""`raptorflow skill validate`: every fault of a skill, with where it stands and how to mend it."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raptorflow.base.json import dumps
from raptorflow.skills.findings import Finding
from raptorflow.skills.text import printable
from raptorflow.skills.validate import validate as find_faults

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow")}


def validate(*folders: Path, json: bool = False) -> None:
    """Check skills against the specification; exit 1 when one has an error.

    Args:
        folders: the skills' folders; the current one when none is given.
        json: print one JSON object a skill.
    """
    reports = [(folder, find_faults(folder)) for folder in folders or (Path(),)]
    console = Console(highlight=False)
    for folder, findings in reports:
        if json:
            print(_as_json(folder, findings))
        elif console.is_terminal:
            _print_table(console, folder, findings)
        else:
            _print_lines(folder, findings)
    if not all(_ok(findings) for _, findings in reports):
        sys.exit(1)


def _ok(findings: list[Finding]) -> bool:
    return not any(finding.severity == "error" for finding in findings)


def _as_json(folder: Path, findings: list[Finding]) -> str:
    rows = [finding.model_dump() for finding in findings]
    name, path = printable(folder.resolve().name), printable(str(folder))
    return dumps({"skill": name, "path": path, "ok": _ok(findings), "findings": rows})


def _print_lines(folder: Path, findings: list[Finding]) -> None:
    """One line a finding, as compilers write them, for logs and editors."""
    for finding in findings:
        place = printable(str(folder / finding.where()))
        print(f"{place}: {finding.severity}: {finding.message} {finding.remedy} [{finding.code}]")
    if not findings:
        print(f"{printable(str(folder))}: nothing to mend.")


def _print_table(console: Console, folder: Path, findings: list[Finding]) -> None:
    """A table; texts go in as `Text`, because what a skill says must not be taken for markup."""
    name = Text(printable(str(folder)))
    if not findings:
        console.print(Text("✓ ", "green").append_text(name).append(": nothing to mend."))
        return
    table = Table(title=name, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(overflow="fold", max_width=console.width // 3)
    table.add_column()
    for finding in findings:
        told = Text(finding.message).append(f"\n{finding.remedy}", "dim").append(f"\n{finding.code}", "dim")
        table.add_row(Text(*MARKS[finding.severity]), Text(finding.where()), told)
    console.print(table)
