"""`raptorflow skill validate`: every fault of a skill, how to mend it, and what each client makes of it."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raptorflow.base.json import dumps
from raptorflow.skills import sarif
from raptorflow.skills.clients.judgement import Outcome
from raptorflow.skills.clients.outcomes import TITLES
from raptorflow.skills.fixes.fix import fix as mend
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.text import printable
from raptorflow.skills.validate import Checked, check

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow")}
OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "loads": ("✓ loads", "green"),
    "warns": ("! warns", "yellow"),
    "skips": ("✗ skips", "red"),
}


def validate(
    *folders: Path, json: bool = False, format: Literal["text", "sarif"] = "text", fix: bool = False
) -> None:
    """Check skills against the specification, and say what each client does; exit 1 when one has an error.

    Args:
        folders: skills' folders, or folders of skills; the current one when none is given.
        json: print one JSON object a skill.
        format: `sarif` for one SARIF 2.1.0 document over all skills.
        fix: mend first what can be mended safely.
    """
    found = list(skill_folders(folders or (Path(),)))
    if fix:
        for folder in found:
            _say_fixes(folder, mend(folder), quiet=json or format == "sarif")
    checked = [check(folder) for folder in found]
    if format == "sarif":
        placed = [(printable(str(each.folder)), finding) for each in checked for finding in each.findings]
        print(dumps(sarif.document("raptorflow-validate", version("raptorflow"), placed)))
    elif json:
        for each in checked:
            print(_as_json(each))
    else:
        _show(checked)
    if not all(each.ok for each in checked):
        sys.exit(1)


def _say_fixes(folder: Path, done: Sequence[str], *, quiet: bool) -> None:
    for phrase in done:
        print(f"{printable(str(folder))}: {phrase}.", file=sys.stderr if quiet else sys.stdout)


def _as_json(checked: Checked) -> str:
    document = {
        "skill": printable(checked.name),
        "path": printable(str(checked.folder)),
        "ok": checked.ok,
        "clients": {name: judgement.outcome for name, judgement in checked.clients.items()},
        "findings": [finding.model_dump() for finding in checked.findings],
    }
    return dumps(document)


def _show(checked: Sequence[Checked]) -> None:
    console = Console(highlight=False)
    for each in checked:
        if console.is_terminal:
            _print_table(console, each)
        else:
            _print_lines(each)
    if console.is_terminal:
        _print_clients(console, checked)


def _print_lines(checked: Checked) -> None:
    """One line a finding, as compilers write them, for logs and editors; then one for the clients."""
    for finding in checked.findings:
        place = printable(str(checked.folder / finding.where()))
        print(f"{place}: {finding.severity}: {finding.message} {finding.remedy} [{finding.code}]")
    name = printable(str(checked.folder))
    if not checked.findings:
        print(f"{name}: nothing to mend.")
    told = [
        f"{TITLES[client]} {judgement.outcome}"
        + f" ({'; '.join(judgement.reasons)})" * bool(judgement.reasons)
        for client, judgement in checked.clients.items()
    ]
    print(f"{name}: {', '.join(told)}.")


def _print_table(console: Console, checked: Checked) -> None:
    """A table; texts go in as `Text`, because what a skill says must not be taken for markup."""
    name = Text(printable(str(checked.folder)))
    if not checked.findings:
        console.print(Text("✓ ", "green").append_text(name).append(": nothing to mend."))
        return
    table = Table(title=name, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(overflow="fold", max_width=console.width // 3)
    table.add_column()
    for finding in checked.findings:
        told = Text(finding.message).append(f"\n{finding.remedy}", "dim").append(f"\n{finding.code}", "dim")
        table.add_row(Text(*MARKS[finding.severity]), Text(finding.where()), told)
    console.print(table)


def _print_clients(console: Console, checked: Sequence[Checked]) -> None:
    """One table: a skill a row, a client a column; below it why, where one does not simply load."""
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("what clients do", overflow="fold")
    for title in TITLES.values():
        table.add_column(title, no_wrap=True)
    for each in checked:
        outcomes = [Text(*OUTCOMES[each.clients[client].outcome]) for client in TITLES]
        table.add_row(Text(printable(each.name)), *outcomes)
    console.print()
    console.print(table)
    for each in checked:
        for client, judgement in each.clients.items():
            for reason in judgement.reasons:
                console.print(Text(f"{printable(each.name)}: {TITLES[client]}: {printable(reason)}.", "dim"))
