"""The dialects of evals that are about, read; and what cannot be read, named."""

import json
from typing import Any

import pytest
from junitparser import JUnitXml, TestSuite

from raptorflow.skills.evals.cases import Evals
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.evals.results import CaseResult, document, junit
from raptorflow.skills.findings import Findings
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill_files
from raptorflow.skills.scaffold.new import template_files


def skill() -> Skill:
    return read_skill_files({path: text.encode() for path, text in template_files("count", "python").items()})


def read(**files: Any) -> tuple[Evals, list[str]]:
    findings = Findings()
    named = {
        f"evals/{name}.json": content if isinstance(content, bytes) else json.dumps(content).encode()
        for name, content in files.items()
    }
    evals = read_evals({**named, "evals/files/a.csv": b"a"}, skill(), findings)
    return evals, [finding.code for finding in findings.all]


@pytest.mark.parametrize(
    "document",
    [
        {"skill_name": "count", "evals": [{"id": 1, "prompt": "How many?", "assertions": ["It says 3"]}]},
        {"evals": [{"id": 1, "prompt": "How many?", "expectations": ["It says 3"]}], "skill_name": "count"},
        [{"id": 1, "question": "How many?", "expected_skill": "count", "expected_behavior": ["It says 3"]}],
        {"skill": "count", "cases": [{"id": 1, "task": "How many?", "expects": [{"text": "It says 3"}]}]},
    ],
)
def test_each_dialect_is_the_same_case(document: Any) -> None:
    evals, codes = read(evals=document)
    assert codes == []
    (case,) = evals.graded
    assert (case.name, case.prompt, case.assertions) == ("1", "How many?", ("It says 3",))


def test_questions_for_another_skill_only_test_that_this_one_is_not_found() -> None:
    evals, _ = read(
        evals=[
            {"question": "Pause it", "expected_skill": None},
            {"question": "Count", "expected_skill": "count"},
        ]
    )
    assert [(case.query, case.should_trigger) for case in evals.triggers] == [
        ("Pause it", False),
        ("Count", True),
    ]
    assert [case.prompt for case in evals.graded] == ["Count"]


def test_files_are_found_from_the_folder_and_from_evals() -> None:
    evals, _ = read(
        evals=[{"prompt": "x", "files": ["a.csv", "evals/files/a.csv", "files/a.csv", "gone.csv"]}]
    )
    assert evals.graded[0].files == ("evals/files/a.csv",) * 3


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"action": "gone"}, "no action"),
        ({"action": "count-words", "input": []}, "no object"),
        ({"action": "count-words", "expect": {"outptu": 1}}, "takes output"),
        ({"action": "count-words", "files": {"text": "gone.csv"}}, "is not there"),
        ({"action": "count-words", "files": {"text": ["gone.csv"]}}, "is not there"),
        ({"action": "count-words", "seconds": -1}, "positive"),
        ({"action": "count-words", "expct": {}}, "unknown field"),
        ({"action": "count-words", "expect": {"schema": {"$ref": "http://127.0.0.1:1/x"}}}, "no JSON Schema"),
    ],
)
def test_a_case_that_cannot_be_run_says_why(case: dict[str, Any], words: str) -> None:
    findings = Findings()
    content = json.dumps({"cases": [{"name": "one", **case}]}).encode()
    evals = read_evals({"evals/actions.json": content}, skill(), findings)
    assert evals.actions == ()
    (finding,) = findings.errors()
    assert finding.code == "skill/evals-case"
    assert words in finding.message


@pytest.mark.parametrize("content", [b"{", b"\xff", b"3", b'{"cases": 3}', b"[" * 100_000])
def test_what_is_no_list_of_cases_is_an_error(content: bytes) -> None:
    evals, codes = read(actions=content, triggers=content, evals=content)
    assert len(evals) == 0
    assert set(codes) == {"skill/evals-invalid"}


def test_results_are_bound_to_the_digest_and_read_by_ci() -> None:
    results = [
        CaseResult("a <b>", "action", "passed", 0.5, output={"words": 1}),
        CaseResult("found", "trigger", "passed", facts={"should_trigger": True, "found": "count"}),
        CaseResult(
            "lost", "trigger", "failed", message="\x1b[31m no", facts={"should_trigger": True, "found": None}
        ),
        CaseResult(
            "alarm", "trigger", "failed", message="x", facts={"should_trigger": False, "found": "count"}
        ),
        CaseResult("g", "graded", "not-run", message="No model."),
    ]
    told = document(skill(), results, "1")
    assert told["digest"] == skill().digest
    assert (told["passed"], told["failed"], told["not_run"]) == (2, 2, 1)
    assert told["triggers"] == {"precision": 0.5, "recall": 0.5}
    suite = next(iter(JUnitXml.fromstring(junit(skill(), results).encode())))
    assert isinstance(suite, TestSuite)
    assert (suite.tests, suite.failures, suite.skipped) == (5, 2, 1)
