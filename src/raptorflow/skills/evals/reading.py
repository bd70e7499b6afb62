"""Reads `evals/`: our action cases, the site's triggers, and the dialects of `evals.json` that are about."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from raptorflow.base.json import JsonObject, loads
from raptorflow.skills.evals.cases import ActionCase, Evals, Expectation, GradedCase, TriggerCase
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.model import Skill
from raptorflow.skills.text import printable

ACTIONS, TRIGGERS, GRADED = "evals/actions.json", "evals/triggers.json", "evals/evals.json"
UNIT_TEST = re.compile(r"tests/(?:[^/]+/)*test_[^/]+\.py")
MAX_CASES = 500
MAX_BYTES = 1024 * 1024
KINDS = ("output", "contains", "schema", "error")
KNOWN = {"name", "action", "input", "files", "expect", "artifacts", "seconds"}
# What the question, the expectation and the list of what has to be true are called by whom.
QUESTIONS = ("prompt", "question", "query", "input", "task")
EXPECTED = ("expected_output", "ground_truth", "expected", "reference")
ASSERTED = ("assertions", "expectations", "expected_behavior", "expects", "criteria", "rubric")


def read_evals(files: Mapping[str, bytes], skill: Skill, findings: Findings) -> Evals:
    """Every case of a skill; what cannot be read becomes a finding."""
    return Evals(
        actions=tuple(_actions(files, skill, findings)),
        triggers=tuple(_triggers(files, skill, findings)),
        graded=tuple(_graded(files, skill, findings)),
        unit_tests=tuple(path for path in sorted(files) if UNIT_TEST.fullmatch(path)),
    )


def _document(files: Mapping[str, bytes], path: str, findings: Findings) -> Any:
    if path not in files:
        return None
    if len(files[path]) > MAX_BYTES:
        findings.error("evals-too-long", path, f"It has over {MAX_BYTES} bytes.", "Split the skill in two.")
        return None
    try:
        return loads(files[path])
    except ValueError as error:
        findings.error(
            "evals-invalid", path, f"It is not JSON: {error}.", "Mend it.", getattr(error, "lineno", None)
        )
        return None


def _listed(document: Any, path: str, findings: Findings, *keys: str) -> list[JsonObject]:
    """The cases of a file, whatever is around them: a bare list, or a list under one of the keys."""
    table = as_mapping(document) or {}
    found = as_list(document) or next((cases for key in keys if (cases := as_list(table.get(key)))), None)
    if found is None:
        if document is not None:
            findings.error(
                "evals-invalid", path, "It holds no list of cases.", f'Write {{"{keys[0]}": [...]}}.'
            )
        return []
    if len(found) > MAX_CASES:
        findings.error(
            "evals-many", path, f"It has {len(found)} cases; {MAX_CASES} are the limit.", "Leave some out."
        )
    return [each for case in found[:MAX_CASES] if (each := as_mapping(case)) is not None]


def _actions(files: Mapping[str, bytes], skill: Skill, findings: Findings) -> Iterator[ActionCase]:
    names: set[str] = set()
    document = _document(files, ACTIONS, findings)
    for number, case in enumerate(_listed(document, ACTIONS, findings, "cases", "evals"), 1):
        name = str(case.get("name") or f"case {number}")
        problem = _problem_of(case, files, skill) or ("its name is there already" if name in names else None)
        names.add(name)
        if problem:
            message = f"{printable(name)[:80]}: {problem}."
            findings.error("evals-case", ACTIONS, message, "See the how-to on testing a skill.")
            continue
        expect: JsonObject = case.get("expect") or {}
        yield ActionCase(
            name=name,
            action=case["action"],
            input=case.get("input") or {},
            files=dict(case.get("files") or {}),
            expected=tuple(Expectation(kind, expect[kind]) for kind in KINDS if kind in expect),
            artifacts=tuple(case.get("artifacts") or ()),
            seconds=case.get("seconds"),
        )


def _problem_of(case: JsonObject, files: Mapping[str, bytes], skill: Skill) -> str | None:
    """Why a case cannot be run."""
    unknown = case.keys() - KNOWN
    action = skill.action(str(case.get("action")))
    expect = as_mapping(case.get("expect", {}))
    given_files = as_mapping(case.get("files", {}))
    seconds = case.get("seconds")
    checks = (
        (unknown, f"it has the unknown field {sorted(unknown)[:1]}"),
        (action is None, f"the skill has no action {case.get('action')!r:.80}"),
        (as_mapping(case.get("input", {})) is None, "its input is no object"),
        (expect is None or not expect.keys() <= set(KINDS), f"`expect` takes {', '.join(KINDS)}"),
        (given_files is None, "`files` maps inputs to paths"),
        (seconds is not None and not _positive(seconds), "`seconds` is no positive number"),
        (as_list(case.get("artifacts", [])) is None, "`artifacts` is a list of names"),
    )
    for is_wrong, words in checks:
        if is_wrong:
            return words
    for path in (given_files or {}).values():
        if not isinstance(path, str) or path not in files:
            return f"the file {str(path)!r:.80} is not there"
    return _schema_problem((expect or {}).get("schema"))


def _schema_problem(schema: object) -> str | None:
    if schema is None:
        return None
    try:
        jsonschema_rs.Draft202012Validator(as_mapping(schema) or {}, retriever=_refuse)
    except (ValueError, TypeError) as error:
        return f"`expect.schema` is no JSON Schema: {str(error).split(chr(10), 1)[0][:120]}"
    return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri[:100]} is outside the schema")


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _triggers(files: Mapping[str, bytes], skill: Skill, findings: Findings) -> Iterator[TriggerCase]:
    """`evals/triggers.json`, and of other dialects the cases that say which skill they expect."""
    document = _document(files, TRIGGERS, findings)
    for case in _listed(document, TRIGGERS, findings, "cases", "triggers", "evals"):
        query = _text(case, QUESTIONS)
        wanted = case.get("should_trigger", case.get("trigger"))
        if query is None or not isinstance(wanted, bool):
            message = "A case has no text `query` or no true or false `should_trigger`."
            findings.error("evals-case", TRIGGERS, message, 'Write {"query": "...", "should_trigger": true}.')
            continue
        yield TriggerCase(query, wanted)
    other = _document(files, GRADED, Findings())
    for case in _listed(other, GRADED, Findings(), "evals", "cases"):
        query = _text(case, QUESTIONS)
        if query and "expected_skill" in case:
            yield TriggerCase(query, case["expected_skill"] == skill.name)


def _graded(files: Mapping[str, bytes], skill: Skill, findings: Findings) -> Iterator[GradedCase]:
    document = _document(files, GRADED, findings)
    for number, case in enumerate(_listed(document, GRADED, findings, "evals", "cases", "tests"), 1):
        prompt = _text(case, QUESTIONS)
        if prompt is None:
            message = f"Case {number} has no prompt."
            findings.error("evals-case", GRADED, message, 'Write {"prompt": "...", "assertions": ["..."]}.')
            continue
        if "expected_skill" in case and case["expected_skill"] != skill.name:
            # A question for another skill, or for none: only finding is tested by it.
            continue
        asserted = next((found for key in ASSERTED if (found := as_list(case.get(key)))), list[Any]())
        paths = [str(path) for path in as_list(case.get("files")) or []]
        yield GradedCase(
            name=str(case.get("id") or case.get("name") or number),
            prompt=prompt,
            expected=_text(case, EXPECTED) or "",
            assertions=tuple(_assertion(each) for each in asserted),
            files=tuple(found for path in paths if (found := _below_evals(files, path))),
        )


def _below_evals(files: Mapping[str, bytes], path: str) -> str | None:
    """Paths are given from the skill's folder, or from `evals/`."""
    places = (path, f"evals/{path}", f"evals/files/{path}")
    return next((place for place in places if place in files), None)


def _assertion(value: object) -> str:
    table = as_mapping(value)
    return str((table or {}).get("text") or (table or {}).get("description") or value)


def _text(case: JsonObject, keys: tuple[str, ...]) -> str | None:
    return next((found for key in keys if isinstance(found := case.get(key), str) and found.strip()), None)
