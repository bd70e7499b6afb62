"""`raptorflow skill scan`: what a skill could do, and whether it shows signs of harm. Runs nothing of it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from raptorflow.base.json import dumps
from raptorflow.skills import sarif
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.scanning.model import Report, Severity, Verdict
from raptorflow.skills.scanning.scan import scan as scan_folder
from raptorflow.skills.scanning.suppressions import read_baseline
from raptorflow.skills.text import printable

MARKS: dict[Verdict, tuple[str, str]] = {
    "pass": ("✓", "green"),
    "review": ("!", "yellow"),
    "block": ("✗", "red"),
}
COLOURS: dict[Severity, str] = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}
FAILS: dict[str, set[Verdict]] = {"block": {"block"}, "review": {"block", "review"}}


def scan(
    *folders: Path,
    json: bool = False,
    format: Literal["text", "sarif"] = "text",
    fail_on: Literal["block", "review"] = "block",
    baseline: Path | None = None,
) -> None:
    """Look for signs of harm in skills, offline and without running them; exit 1 when one is blocked.

    Args:
        folders: skills' folders, or folders of skills; the current one when none is given.
        json: print one JSON object a skill.
        format: `sarif` for one SARIF 2.1.0 document over all skills.
        fail_on: the mildest verdict that makes the command exit with 1.
        baseline: a TOML file with the findings that you have looked at and allow.
    """
    allowed = read_baseline(baseline) if baseline else []
    reports = ((folder, scan_folder(folder, allowed)) for folder in skill_folders(folders or (Path(),)))
    if format == "sarif":
        seen = list(reports)
        print(_as_sarif(seen))
        verdicts = {report.verdict for _, report in seen}
    else:
        verdicts = set(_print(reports, json))
    if verdicts & FAILS[fail_on]:
        sys.exit(1)


def _as_sarif(reports: Sequence[tuple[Path, Report]]) -> str:
    found = [(printable(str(folder)), threat) for folder, report in reports for threat in report.findings]
    return dumps(sarif.document("raptorflow-scan", version("raptorflow"), found))


def _print(reports: Iterable[tuple[Path, Report]], json: bool) -> Iterator[Verdict]:
    console = Console(highlight=False)
    for folder, report in reports:
        if json:
            print(dumps(_row(folder, report)))
        else:
            _print_report(console, folder, report)
        yield report.verdict


def _row(folder: Path, report: Report) -> dict[str, object]:
    name = printable(folder.resolve().name)
    return {"skill": name, "path": printable(str(folder)), **report.model_dump(mode="json")}


def _print_report(console: Console, folder: Path, report: Report) -> None:
    """What a skill says goes in as `Text`, because it must not be taken for markup."""
    mark, colour = MARKS[report.verdict]
    head = Text(f"{mark} {report.verdict}", colour).append(f"  {printable(str(folder))}", "bold")
    console.print(head.append(f"  (power: {report.power})", "dim"), soft_wrap=True)
    for threat in report.findings:
        place = threat.file if threat.line is None else f"{threat.file}:{threat.line}"
        line = Text("  ").append(threat.severity, COLOURS[threat.severity]).append(f"  {place}  ", "cyan")
        console.print(line.append(threat.message).append(f" [{threat.code}]", "dim"), soft_wrap=True)
        console.print(Text(f"      {threat.remedy}", "dim"), soft_wrap=True)
