"""`raptorflow skill test`: a skill's cases, in the real sandbox."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import InvalidInput
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.skill.finding import FolderFinder
from raptorflow.cli.skill.model import connected_model
from raptorflow.cli.skill.sandboxed import local_sandbox
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.evals.cases import Evals
from raptorflow.skills.evals.grading import run_graded, run_triggers
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.evals.results import CaseResult, Kind, document, junit
from raptorflow.skills.evals.running import run_cases
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill
from raptorflow.skills.text import printable

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not-run": ("-", "yellow")}


class NoCases(InvalidInput):
    """A skill has nothing to test."""

    code = "no-cases"
    default_hint = "Write evals/actions.json or evals/triggers.json; `raptorflow skill new` shows how."


@dataclass(frozen=True)
class Wanted:
    """What is to be run, and among which skills."""

    only: frozenset[Kind]
    case: str | None
    among: tuple[Path, ...]


def run_tests(
    folder: Path = Path(),
    *,
    only: Annotated[list[Kind] | None, Parameter(negative="")] = None,
    case: str | None = None,
    among: Annotated[list[Path] | None, Parameter(negative="")] = None,
    junit_file: Annotated[Path | None, Parameter(name="--junit")] = None,
    report: Path | None = None,
    json: bool = False,
) -> None:
    """Run a skill's action cases, unit tests, trigger cases and graded cases; exit 1 when one fails.

    Args:
        folder: the skill's folder.
        only: action, unit, trigger or graded; may be given several times.
        case: run only the case of this name.
        among: a folder of skills that the trigger cases have to tell it from; the samples are always there.
        junit_file: write a JUnit document here.
        report: write the results here, bound to the skill's digest.
        json: print one JSON object.
    """
    skill, evals = _read(folder)
    kinds: tuple[Kind, ...] = ("action", "unit", "trigger", "graded")
    wanted = Wanted(frozenset(only or kinds), case, tuple(among or ()))
    results = asyncio.run(_run(skill, folder.absolute(), _chosen(evals, wanted), wanted, quiet=json))
    told = document(skill, results, version("raptorflow"))
    if report:
        _write(report, dumps(told))
    if junit_file:
        _write(junit_file, junit(skill, results))
    if json:
        print(dumps(told))
    else:
        _print_summary(told)
    asked_in_vain = told["not_run"] and only == ["graded"]
    if told["failed"] or asked_in_vain:
        sys.exit(1)


def _read(folder: Path) -> tuple[Skill, Evals]:
    skill = read_skill(folder)
    findings = Findings()
    files, _ = collect_files(folder, findings)
    evals = read_evals(files, skill, findings)
    if findings.errors():
        raise SkillInvalid(findings.errors())
    if not len(evals):
        raise NoCases(f"{printable(str(folder))} has no cases and no unit tests.")
    return skill, evals


def _chosen(evals: Evals, wanted: Wanted) -> Evals:
    """The cases that were asked for."""

    def fits(kind: Literal["action", "unit", "trigger", "graded"], name: str) -> bool:
        return kind in wanted.only and wanted.case in {None, name}

    chosen = Evals(
        tuple(each for each in evals.actions if fits("action", each.name)),
        tuple(each for each in evals.triggers if fits("trigger", each.query)),
        tuple(each for each in evals.graded if fits("graded", each.name)),
        tuple(path for path in evals.unit_tests if fits("unit", path)),
    )
    if not len(chosen):
        raise NoCases(
            "No case fits what was asked for.", hint="Look at the names without `--case` and `--only`."
        )
    return chosen


async def _run(skill: Skill, folder: Path, evals: Evals, wanted: Wanted, *, quiet: bool) -> list[CaseResult]:
    console = Console(highlight=False, quiet=quiet)
    results: list[CaseResult] = []
    if evals.actions or evals.unit_tests:
        async with local_sandbox() as sandbox:
            await _collect(run_cases(skill, folder, evals, sandbox), results, console)
    if evals.triggers:
        finder = FolderFinder([skill, *_neighbours(skill, wanted.among)])
        await _collect(run_triggers(skill, evals.triggers, finder), results, console)
    if evals.graded:
        await _collect(run_graded(skill, folder, evals.graded, connected_model()), results, console)
    return results


async def _collect(cases: AsyncIterator[CaseResult], results: list[CaseResult], console: Console) -> None:
    """Show each case as it ends."""
    async for result in cases:
        results.append(result)
        line = Text(*MARKS[result.outcome]).append(f" {result.kind:8}", "dim").append(printable(result.name))
        if result.seconds:
            line.append(f"  {result.seconds * 1000:,.0f} ms", "dim")
        console.print(line, soft_wrap=True)
        if result.message:
            console.print(Text(f"    {printable(result.message)}", "dim"), soft_wrap=True)


def _neighbours(skill: Skill, among: Sequence[Path]) -> list[Skill]:
    """The skills that it has to be told from: the samples, and those of the given folders."""
    samples = Path(str(package_files("raptorflow").joinpath("samples", "skills")))
    found: dict[str, Skill] = {}
    for folder in skill_folders([samples, *among]):
        try:
            other = read_skill(folder)
        except SkillInvalid:
            continue
        found[other.name] = other
    found.pop(skill.name, None)
    return list(found.values())


def _print_summary(told: JsonObject) -> None:
    console = Console(highlight=False)
    parts = [f"{told['passed']} passed", f"{told['failed']} failed"]
    parts += [f"{told['not_run']} not run: no model is connected"] * bool(told["not_run"])
    triggers = told["triggers"]
    if triggers["recall"] is not None or triggers["precision"] is not None:
        shown = {name: "none" if value is None else f"{value:.0%}" for name, value in triggers.items()}
        parts.append(f"found with precision {shown['precision']} and recall {shown['recall']}")
    if graded := told["graded"]:
        parts.append(
            f"graded {graded['with_skill']:.0%} with the skill, {graded['without_skill']:.0%} without"
        )
    console.print(Text("\n" + ", ".join(parts) + ".", "red" if told["failed"] else "green"), soft_wrap=True)
    console.print(Text(f"{told['skill']} {told['version']}  {told['digest']}", "dim"), soft_wrap=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise FileUnusable(
            f"{path} cannot be written: {error.strerror}.", hint="Name another file."
        ) from error
