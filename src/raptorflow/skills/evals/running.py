"""Runs action cases and unit tests in a sandbox, and compares what comes back."""

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any, cast

import jsonschema_rs

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.skills.evals.cases import ActionCase, Evals, Expectation
from raptorflow.skills.evals.results import CaseResult
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.model import Action, Skill
from raptorflow.skills.ports import Ended, Job, Sandbox
from raptorflow.skills.text import printable

SKILL_ERROR = 2
SKILL, INPUTS = "/skill", "/workspace/in"
UNIT_TESTS = """
import sys, unittest
folder, name = sys.argv[1:]
sys.path[:0] = ["/skill/scripts", "/skill"]
found = unittest.defaultTestLoader.discover(folder, pattern=name)
sys.exit(not unittest.TextTestRunner(verbosity=0).run(found).wasSuccessful())
"""
TAIL = 600
# What a program says that reached for something which its skill does not declare.
REACHED = (
    "Network is unreachable",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Read-only file system",
    "Operation not permitted",
    "service-not-connected",
)


async def run_cases(
    skill: Skill, folder: Path, evals: Evals, sandbox: Sandbox, *, actions: Collection[str] | None = None
) -> AsyncIterator[CaseResult]:
    """Each action case and unit test, as it ends.

    Args:
        skill: the skill in the folder.
        folder: where its files are.
        evals: its cases.
        sandbox: what runs them.
        actions: run only the cases of these actions, and no unit tests; all when None.
    """
    for case in evals.actions:
        action = skill.action(case.action)
        if action and (actions is None or case.action in actions):
            yield await _run_action(skill, folder, (action, case), sandbox)
    for path in evals.unit_tests if actions is None else ():
        yield await _run_unit_test(skill, folder, path, sandbox)


async def _run_action(
    skill: Skill, folder: Path, what: tuple[Action, ActionCase], sandbox: Sandbox
) -> CaseResult:
    action, case = what
    files = {Path(path).name: folder / path for path in case.files.values()}
    given = {**case.input, **{name: f"{INPUTS}/{Path(path).name}" for name, path in case.files.items()}}
    if problem := _misfit(action.input_schema, given, "The case's input"):
        return CaseResult(case.name, "action", "failed", message=problem)
    limits = skill.capabilities.limits
    if case.seconds is not None:
        limits = limits.model_copy(update={"timeout_seconds": min(case.seconds, limits.timeout_seconds)})
    job = Job(action.command, dumps(given).encode(), files, limits, action.pure)
    ended = await sandbox.run(skill, folder, job)
    output = _object(ended.stdout)
    problem = _problem(action, case, ended, output)
    outcome = "failed" if problem else "passed"
    facts: JsonObject = {"action": case.action} | ({"driver": ended.driver} if action.pure else {})
    return CaseResult(case.name, "action", outcome, ended.seconds, problem or "", output, facts)


def _problem(action: Action, case: ActionCase, ended: Ended, output: JsonObject | None) -> str | None:
    """Why a case failed; None when everything holds."""
    wanted = next((each.value for each in case.expected if each.kind == "error"), None)
    if wanted is not None:
        return _error_problem(str(wanted), ended, output)
    if ended.status != "ok" or output is None:
        return _broken(ended, output)
    if problem := _misfit(action.output_schema, output, "The output"):
        return problem
    if missing := [name for name in case.artifacts if name not in ended.artifacts]:
        return f"It left no file {missing[0]}, only: {', '.join(ended.artifacts) or 'none'}."
    return next(filter(None, (_unmet(each, output) for each in case.expected)), None)


def _error_problem(wanted: str, ended: Ended, output: JsonObject | None) -> str | None:
    error = as_mapping((output or {}).get("error")) or {}
    if ended.exit_code == SKILL_ERROR and error.get("code") == wanted:
        return None
    told = f"the error {error['code']}" if "code" in error else f"the status {ended.status}"
    return f"It was to refuse with the error {wanted}, and ended with {told}."


def _broken(ended: Ended, output: JsonObject | None) -> str:
    """What a person should know of an action that ended without an answer."""
    said = printable(ended.stderr.decode(errors="replace").strip()[-TAIL:])
    error = as_mapping((output or {}).get("error"))
    if error:
        said = f"{error.get('code')}: {error.get('message')}"
    reached = next((words for words in REACHED if words in said), None)
    declared = " It reached for what skill.toml does not declare." if reached else ""
    if ended.status == "ok":
        return f"It printed no JSON object.{declared}"
    told = ended.message or (f"exit code {ended.exit_code}" if ended.exit_code is not None else "")
    return f"It ended with {ended.status} ({told}).{declared} {said}".strip()


def _unmet(expected: Expectation, output: JsonObject) -> str | None:
    if expected.kind == "output" and output != expected.value:
        return f"The output is {_shown(output)}, and not {_shown(expected.value)}."
    if expected.kind == "schema":
        return _misfit(as_mapping(expected.value) or {}, output, "The output")
    if expected.kind == "contains" and (place := _lacks(expected.value, output, "output")):
        return f"The {place}."
    return None


def _lacks(wanted: object, found: object, place: str) -> str | None:
    """Where an object lacks what is wanted: tables by the wanted keys, texts by containment."""
    table, given = as_mapping(wanted), as_mapping(found)
    if table is not None:
        if given is None:
            return f"{place} is {_shown(found)}"
        parts = ((key, value) for key, value in table.items())
        return next(
            filter(None, (_lacks(value, given.get(key), f"{place}.{key}") for key, value in parts)), None
        )
    if isinstance(wanted, list) and isinstance(found, list):
        short = cast("list[Any]", wanted), cast("list[Any]", found)
        if len(short[0]) > len(short[1]):
            return f"{place} has {len(short[1])} items"
        pairs = enumerate(zip(*short, strict=False))
        return next(filter(None, (_lacks(one, other, f"{place}[{n}]") for n, (one, other) in pairs)), None)
    if isinstance(wanted, str) and isinstance(found, str):
        return (
            None if wanted in found else f"{place} is {_shown(found)}, which does not hold {_shown(wanted)}"
        )
    return (
        None if wanted == found else f"{place} is {_shown(found)}, and not {_shown(cast('object', wanted))}"
    )


def _misfit(schema: JsonObject, value: object, what: str) -> str | None:
    errors = list(jsonschema_rs.Draft202012Validator(schema).iter_errors(value))
    if not errors:
        return None
    place = "/".join(map(str, errors[0].instance_path)) or "the whole"
    return f"{what} does not fit its schema at {place}: {printable(errors[0].message)[:200]}."


async def _run_unit_test(skill: Skill, folder: Path, path: str, sandbox: Sandbox) -> CaseResult:
    """One file of unit tests, by Python's own `unittest`; scripts are importable by their names."""
    place, name = Path(path).parent.as_posix(), Path(path).name
    command = ("python", "-B", "-c", UNIT_TESTS, f"{SKILL}/{place}", name)
    ended = await sandbox.run(skill, folder, Job(command, limits=skill.capabilities.limits))
    message = "" if ended.status == "ok" else _broken(ended, None)
    return CaseResult(path, "unit", "passed" if not message else "failed", ended.seconds, message)


def _object(output: bytes) -> JsonObject | None:
    try:
        return as_mapping(loads(output))
    except ValueError:
        return None


def _shown(value: object) -> str:
    text = printable(dumps(value))
    return text if len(text) <= 160 else f"{text[:160]}…"
