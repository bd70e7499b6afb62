"""`raptorflow skill ...`: write, check, pack and publish a skill."""

import sys
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from raptorflow.base.json import dumps
from raptorflow.skills.archive import pack as pack_skill
from raptorflow.skills.findings import Finding
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold import Template, new_skill
from raptorflow.skills.validate import validate as find_faults

skill_app = App(name="skill", help="Write, check, pack and publish a skill.")
skill_app.command("raptorflow.cli.publish:publish", name="publish", help="Publish a skill to a server.")


@skill_app.command
def new(name: str, *, template: Template = "instructions", folder: Path = Path(), json: bool = False) -> None:
    """Make a new skill that passes every check.

    Args:
        name: its name: a-z, 0-9 and hyphens.
        template: instructions only, with a Python action, or with a service call.
        folder: where to put it.
        json: print one JSON object.
    """
    made = new_skill(folder, name, template)
    if json:
        print(dumps({"skill": name, "path": str(made)}))
    else:
        print(f"{made} is ready. Edit {made / 'SKILL.md'}, then run `raptorflow skill validate {made}`.")


@skill_app.command
def validate(*folders: Path, json: bool = False) -> None:
    """Check skills against the specification; exit 1 when one has an error.

    Args:
        folders: the skills' folders; the current one when none is given.
        json: print one JSON object a skill.
    """
    reports = [(folder, find_faults(folder)) for folder in folders or (Path(),)]
    for folder, findings in reports:
        _print_report(folder, findings, as_json=json)
    if not all(_ok(findings) for _, findings in reports):
        sys.exit(1)


@skill_app.command
def pack(folder: Path, *, output: Path | None = None, json: bool = False) -> None:
    """Pack a skill into a byte-identical `.skill` archive.

    Args:
        folder: the skill's folder.
        output: the archive; `<name>-<version>.skill` here when not given.
        json: print one JSON object.
    """
    skill = read_skill(folder)
    archive = pack_skill(folder)
    target = output or Path(f"{skill.name}-{skill.version}.skill")
    target.write_bytes(archive)
    if json:
        document = {"skill": skill.name, "version": skill.version, "digest": skill.digest}
        print(dumps(document | {"path": str(target), "bytes": len(archive)}))
    else:
        print(f"{target}  {len(archive):,} bytes  {skill.digest}")


def _ok(findings: list[Finding]) -> bool:
    return not any(finding.severity == "error" for finding in findings)


def _print_report(folder: Path, findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [finding.model_dump() for finding in findings]
        name = folder.resolve().name
        print(dumps({"skill": name, "path": str(folder), "ok": _ok(findings), "findings": rows}))
        return
    console = Console()
    if not findings:
        console.print(f"[green]✓[/green] {folder}: nothing to mend.")
        return
    table = Table(title=str(folder), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("", "where", "what", "remedy", "code"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = "[red]✗[/red]" if finding.severity == "error" else "[yellow]![/yellow]"
        table.add_row(mark, finding.where(), finding.message, finding.remedy, f"[dim]{finding.code}[/dim]")
    console.print(table)
