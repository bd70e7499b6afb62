"""One round of `dev`: after a save, everything that can be wrong with the skill."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject
from raptorflow.cli.skill.sandboxed import LocalSandbox
from raptorflow.skills.evals.cases import Evals
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.evals.results import CaseResult
from raptorflow.skills.evals.running import run_cases
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Finding, Findings
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import inspect_files
from raptorflow.skills.scanning.scan import scan_files
from raptorflow.skills.touched import touched_actions


@dataclass(frozen=True)
class Problem:
    """Something to mend.

    Attributes:
        code: of a finding, a sign of harm, or `case-failed`.
        place: `SKILL.md:3`, or a case's name.
        severity: an error keeps the skill from being handed on.
    """

    code: str
    place: str
    message: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class Round:
    """What a round found.

    Attributes:
        skill: the skill; None when it cannot be read.
        blocked: whether it shows signs of harm.
        passed: how many cases passed.
        check_ms: validation and scan; the cases took `cases_ms`.
    """

    skill: Skill | None
    files: Mapping[str, bytes]
    executables: frozenset[str]
    problems: tuple[Problem, ...]
    blocked: bool
    passed: int
    check_ms: float
    cases_ms: float

    @property
    def is_sound(self) -> bool:
        """Whether it can be handed on: valid, not blocked, and every case was run and holds."""
        errors = any(problem.severity == "error" for problem in self.problems)
        return self.skill is not None and not self.blocked and not errors

    def row(self) -> JsonObject:
        """As JSON."""
        return {
            "event": "checked",
            "skill": self.skill.name if self.skill else None,
            "ok": self.is_sound,
            "problems": [vars(problem) for problem in self.problems],
            "cases_passed": self.passed,
            "check_ms": round(self.check_ms, 1),
            "cases_ms": round(self.cases_ms, 1),
        }


CASE_FAILED = "case-failed"
# An action, empty for a unit test, and the name of the case.
_Case = tuple[str, str]


@dataclass
class Rounds:
    """Goes through a skill's folder again and again.

    A case that failed stays a problem until it has been run again, and what was saved while the skill
    could not be read is run when it can be.
    """

    folder: Path
    sandbox: LocalSandbox
    problems: tuple[Problem, ...] = field(default=())
    # None: every case.
    _waiting: set[str] | None = field(default=None)
    _failed: dict[_Case, CaseResult] = field(default_factory=dict["_Case", CaseResult])

    async def go(self, changed: Collection[str] | None) -> Round:
        """One round.

        Args:
            changed: paths that were saved; None runs every case.
        """
        self._waiting = None if changed is None or self._waiting is None else self._waiting | {*changed}
        watch = Stopwatch()
        found = await asyncio.to_thread(self._checked)
        checked = watch.elapsed_ms()
        problems, passed = list(found.problems), 0
        if found.skill is not None and not found.blocked:
            failed, passed = await self._cases(found.skill, found.files)
            problems += failed
        self.problems = tuple(problems)
        return Round(
            found.skill, found.files, found.executables, self.problems, found.blocked, passed,
            checked, watch.elapsed_ms() - checked,
        )  # fmt: skip

    def _checked(self) -> Round:
        findings = Findings()
        files, executables = collect_files(self.folder, findings)
        skill = inspect_files(files, executables, self.folder.name, findings)
        valid = skill is not None and not findings.errors()
        report = scan_files(files, self.folder.name)
        blocked = report.verdict == "block"
        problems = [_problem(each) for each in findings.all]
        problems += [
            Problem(
                each.code, f"{each.file}:{each.line}" if each.line else each.file, each.message, each.remedy,
                "error" if blocked else "warning",
            )
            for each in report.findings
            if each.severity != "low"
        ]  # fmt: skip
        kept = skill if valid else None
        return Round(kept, files, frozenset(executables), tuple(problems), blocked, 0, 0.0, 0.0)

    async def _cases(self, skill: Skill, files: Mapping[str, bytes]) -> tuple[list[Problem], int]:
        findings = Findings()
        evals = read_evals(files, skill, findings)
        problems = [_problem(each) for each in findings.all]
        actions = self._concerned(skill, files)
        self._forget(evals, actions)
        passed = 0
        try:
            async for result in run_cases(skill, self.folder, evals, self.sandbox, actions=actions):
                passed += result.outcome == "passed"
                if result.outcome == "failed":
                    self._failed[_case(result)] = result
            self._waiting = set()
        except RaptorFlowError as error:
            problems.append(Problem(error.code, "the sandbox", error.message, error.hint or ""))
        failed = [Problem(CASE_FAILED, each.name, each.message) for each in self._failed.values()]
        return problems + failed, passed

    def _concerned(self, skill: Skill, files: Mapping[str, bytes]) -> set[str] | None:
        """The actions whose cases are to be run; None for all of them and the unit tests."""
        if self._waiting is None:
            return None
        actions = touched_actions(skill, files, self._waiting)
        # A unit test belongs to no action: one that failed is run again with the next code that is saved.
        return None if actions and any(not action for action, _ in self._failed) else actions

    def _forget(self, evals: Evals, actions: set[str] | None) -> None:
        """Leave out what is about to be run, and what is no case any more."""
        known = {(case.action, case.name) for case in evals.actions} | {
            ("", path) for path in evals.unit_tests
        }
        for action, name in list(self._failed):
            if actions is None or action in actions or (action, name) not in known:
                del self._failed[action, name]


def _case(result: CaseResult) -> _Case:
    return str(result.facts.get("action", "")), result.name


def _problem(finding: Finding) -> Problem:
    return Problem(finding.code, finding.where(), finding.message, finding.remedy, finding.severity)
