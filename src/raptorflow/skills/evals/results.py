"""What came of the cases: for a person, for a program, and for a CI server (JUnit)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from raptorflow.base.json import JsonObject
from raptorflow.skills.model import Skill
from raptorflow.skills.text import printable

Kind = Literal["action", "unit", "trigger", "graded"]
Outcome = Literal["passed", "failed", "not-run"]
SCHEMA = 1


@dataclass(frozen=True)
class CaseResult:
    """One case.

    Attributes:
        message: why it did not pass; empty when it did.
        output: what an action answered, for the skill's page.
    """

    name: str
    kind: Kind
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""
    output: JsonObject | None = None
    facts: JsonObject = field(default_factory=dict[str, object])

    def row(self) -> JsonObject:
        """As JSON."""
        plain: JsonObject = {"name": self.name, "kind": self.kind, "outcome": self.outcome}
        plain |= {"ms": round(self.seconds * 1000, 1), "message": self.message}
        return plain | ({"output": self.output} if self.output is not None else {}) | self.facts


@dataclass(frozen=True)
class Triggering:
    """How well the skill is found: true and false positives and negatives."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    @property
    def precision(self) -> float | None:
        """Of the questions that found it, the part that should; None when none did."""
        found = self.hits + self.false_alarms
        return self.hits / found if found else None

    @property
    def recall(self) -> float | None:
        """Of the questions that should find it, the part that did; None when there are none."""
        wanted = self.hits + self.misses
        return self.hits / wanted if wanted else None


def document(skill: Skill, results: Sequence[CaseResult], version: str) -> JsonObject:
    """The results, bound to the skill's digest: they hold for exactly these files."""
    triggering = triggering_of(results)
    return {
        "schema": SCHEMA,
        "skill": skill.name,
        "version": skill.version,
        "digest": skill.digest,
        "tested_by": f"raptorflow {version}",
        "passed": sum(result.outcome == "passed" for result in results),
        "failed": sum(result.outcome == "failed" for result in results),
        "not_run": sum(result.outcome == "not-run" for result in results),
        "triggers": {"precision": triggering.precision, "recall": triggering.recall},
        "graded": graded_scores(results),
        "cases": [result.row() for result in results],
    }


def triggering_of(results: Sequence[CaseResult]) -> Triggering:
    """Precision and recall of the trigger cases."""
    cases = [result for result in results if result.kind == "trigger" and result.outcome != "not-run"]
    wanted = [result for result in cases if result.facts["should_trigger"]]
    hits = sum(result.outcome == "passed" for result in wanted)
    alarms = sum(result.outcome == "failed" for result in cases if not result.facts["should_trigger"])
    return Triggering(hits, alarms, len(wanted) - hits)


def graded_scores(results: Sequence[CaseResult]) -> JsonObject | None:
    """The mean score with and without the skill, 0 to 1, and what it gains; None when none was graded."""
    graded = [result.facts for result in results if result.kind == "graded" and "with_skill" in result.facts]
    if not graded:
        return None
    means = {
        key: sum(float(each[key]) for each in graded) / len(graded) for key in ("with_skill", "without_skill")
    }
    return means | {"delta": means["with_skill"] - means["without_skill"]}


def junit(skill: Skill, results: Sequence[CaseResult]) -> str:
    """A JUnit document, as CI servers read it (https://github.com/testmoapp/junitxml)."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"{skill.name} {skill.version}",
        tests=str(len(results)),
        failures=str(sum(result.outcome == "failed" for result in results)),
        skipped=str(sum(result.outcome == "not-run" for result in results)),
        errors="0",
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", name="digest", value=skill.digest)
    for result in results:
        case = ElementTree.SubElement(
            suite, "testcase", name=printable(result.name), classname=f"{skill.name}.{result.kind}",
            time=f"{result.seconds:.3f}",
        )  # fmt: skip
        if result.outcome != "passed":
            tag = "failure" if result.outcome == "failed" else "skipped"
            ElementTree.SubElement(case, tag, message=printable(result.message))
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
