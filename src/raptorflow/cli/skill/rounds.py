"""One round of `dev`: after a save, everything that can be wrong with the skill."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject
from raptorflow.cli.skill.sandboxed import LocalSandbox
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.evals.running import run_cases
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
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
    """

    code: str
    place: str
    message: str
    remedy: str = ""


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
        """Whether it can be handed on: valid, not blocked, and no case failed."""
        return (
            self.skill is not None
            and not self.blocked
            and not any(problem.code == CASE_FAILED for problem in self.problems)
        )

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


@dataclass
class Rounds:
    """Goes through a skill's folder again and again."""

    folder: Path
    sandbox: LocalSandbox
    problems: tuple[Problem, ...] = field(default=())

    async def go(self, changed: Collection[str] | None) -> Round:
        """One round.

        Args:
            changed: paths that were saved; None runs every case.
        """
        watch = Stopwatch()
        found = await asyncio.to_thread(self._checked)
        checked = watch.elapsed_ms()
        problems, passed = list(found.problems), 0
        if found.skill is not None and not found.blocked:
            failed, passed = await self._cases(found.skill, found.files, changed)
            problems += failed
        self.problems = tuple(problems)
        return Round(
            found.skill, found.files, found.executables, self.problems, found.blocked, passed,
            checked, watch.elapsed_ms() - checked,
        )  # fmt: skip

    def _checked(self) -> Round:
        findings = Findings()
        files, executables = collect_files(self.folder, findings)
        skill = inspect_files(files, executables, self.folder.resolve().name, findings)
        valid = skill is not None and not findings.errors()
        report = scan_files(files, self.folder.resolve().name)
        problems = [Problem(each.code, each.where(), each.message, each.remedy) for each in findings.all]
        problems += [
            Problem(
                each.code, f"{each.file}:{each.line}" if each.line else each.file, each.message, each.remedy
            )
            for each in report.findings
            if each.severity != "low"
        ]
        blocked = report.verdict == "block"
        kept = skill if valid else None
        return Round(kept, files, frozenset(executables), tuple(problems), blocked, 0, 0.0, 0.0)

    async def _cases(
        self, skill: Skill, files: Mapping[str, bytes], changed: Collection[str] | None
    ) -> tuple[list[Problem], int]:
        findings = Findings()
        evals = read_evals(files, skill, findings)
        problems = [Problem(each.code, each.where(), each.message, each.remedy) for each in findings.all]
        actions = None if changed is None else touched_actions(skill, files, changed)
        passed = 0
        try:
            async for result in run_cases(skill, self.folder, evals, self.sandbox, actions=actions):
                passed += result.outcome == "passed"
                if result.outcome == "failed":
                    problems.append(Problem(CASE_FAILED, result.name, result.message))
        except RaptorFlowError as error:
            problems.append(Problem(error.code, "the sandbox", error.message, error.hint or ""))
        return problems, passed
