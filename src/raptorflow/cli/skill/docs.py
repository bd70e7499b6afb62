"""`raptorflow skill docs`: a skill's card and reference page, with examples that were run."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.skill.sandboxed import local_sandbox
from raptorflow.skills.cards.card import Known, card, reference
from raptorflow.skills.cards.html import page
from raptorflow.skills.evals.cases import Evals
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.evals.results import document
from raptorflow.skills.evals.running import run_cases
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scanning.scan import scan

CHANGELOG = "CHANGELOG.md"


def docs(
    folder: Path = Path(),
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("skill-docs"),
    html: bool = False,
    report: Path | None = None,
    run: bool = True,
    json: bool = False,
) -> None:
    """Write a skill's card and reference page as Markdown, and as HTML too.

    Args:
        folder: the skill's folder.
        output: the folder to write to.
        html: write HTML pages beside the Markdown.
        report: results of `raptorflow skill test --report`, instead of running the action cases now.
        run: run the action cases, whose answers are the reference's examples.
        json: print one JSON object.
    """
    skill = read_skill(folder)
    files, _ = collect_files(folder, Findings())
    evals = read_evals(files, skill, Findings())
    results = _results_of(report, skill) if report else None
    if results is None and run and evals.actions:
        results = asyncio.run(_run(skill, folder.absolute(), evals))
    changelog = files.get(CHANGELOG, b"").decode(errors="replace")
    seen = scan(folder)
    known = Known(changelog, results, f"{seen.verdict} (power: {seen.power})", evals)
    pages = {"card": card(skill, known), "reference": reference(skill, known)}
    written = [_write(output / f"{name}.md", text) for name, text in pages.items()]
    if html:
        titles = {"card": skill.name, "reference": f"{skill.name}: reference"}
        written += [_write(output / f"{name}.html", page(text, titles[name])) for name, text in pages.items()]
    if json:
        print(
            dumps({"skill": skill.name, "digest": skill.digest, "written": [str(path) for path in written]})
        )
    else:
        print("\n".join(map(str, written)))


async def _run(skill: Skill, folder: Path, evals: Evals) -> JsonObject:
    async with local_sandbox() as sandbox:
        results = [result async for result in run_cases(skill, folder, evals, sandbox)]
    return document(skill, results, version("raptorflow"))


def _results_of(report: Path, skill: Skill) -> JsonObject:
    """Results hold for the digest that they name, and for no other."""
    try:
        results: JsonObject = loads(report.read_bytes())
        digest = str(results["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{report} holds no results of `raptorflow skill test`."
        raise FileUnusable(message, hint="Make them with `--report`.") from error
    if digest != skill.digest:
        message = f"{report} holds results of {digest}, and the skill is {skill.digest}."
        raise FileUnusable(message, hint="Run `raptorflow skill test --report` again.")
    return results


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise FileUnusable(message, hint="Name another folder with `--output`.") from error
    return path
