"""Trigger cases against a finder; graded cases by a model, with the skill and without it as baseline."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from raptorflow.base.json import loads
from raptorflow.skills.evals.cases import GradedCase, TriggerCase
from raptorflow.skills.evals.results import CaseResult
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.model import Skill
from raptorflow.skills.ports import Finder, LanguageModel, Reply

PLAIN = "You are a helpful assistant. Answer as well as you can."
WITH_SKILL = (
    "You are a helpful assistant with this skill. Follow it where it fits.\n\n# Skill: {name}\n\n{body}"
)
GRADER = (
    "You grade an answer. For each numbered statement decide whether it is true of the answer, strictly and "
    'only from what the answer says. Reply with JSON alone: {"grades": [{"passed": true, "evidence": "..."}, '
    "...]}, one entry for each statement, in order."
)
GOOD_ENOUGH = 1.0


async def run_triggers(
    skill: Skill, cases: Sequence[TriggerCase], finder: Finder
) -> AsyncIterator[CaseResult]:
    """Each question: does an agent load this skill for it, as it should or should not?"""
    for case in cases:
        found = await finder.find(case.query)
        is_found = found == skill.name
        wanted = "should find it" if case.should_trigger else "must not find it"
        message = "" if is_found == case.should_trigger else f"It {wanted}; {found or 'no skill'} was found."
        facts = {"should_trigger": case.should_trigger, "found": found}
        outcome = "failed" if message else "passed"
        yield CaseResult(case.query, "trigger", outcome, message=message, facts=facts)


async def run_graded(
    skill: Skill, folder: Path, cases: Sequence[GradedCase], model: LanguageModel | None
) -> AsyncIterator[CaseResult]:
    """Each task, answered with and without the skill and graded; not run when no model is connected."""
    for case in cases:
        if model is None:
            message = "No model is connected, so that nobody can answer and grade it."
            yield CaseResult(case.name, "graded", "not-run", message=message)
            continue
        system = WITH_SKILL.format(name=skill.name, body=skill.body)
        files = [folder / path for path in case.files]
        answered = await model.answer(system, case.prompt, files)
        baseline = await model.answer(PLAIN, case.prompt, files)
        yield await _graded(case, (answered, baseline), model)


async def _graded(case: GradedCase, replies: tuple[Reply, Reply], model: LanguageModel) -> CaseResult:
    statements = case.assertions or (f"The answer agrees with: {case.expected or 'what was asked for'}",)
    scores: list[float] = []
    failed: list[str] = []
    for number, reply in enumerate(replies):
        grades = await _grades(statements, case, reply, model)
        if grades is None:
            message = "The model that grades did not answer as it was asked to."
            return CaseResult(case.name, "graded", "failed", replies[0].seconds, message)
        scores.append(sum(grades) / len(grades))
        if number == 0:
            failed = [text for text, passed in zip(statements, grades, strict=True) if not passed]
    facts = {
        "with_skill": scores[0],
        "without_skill": scores[1],
        "tokens": {"with_skill": replies[0].tokens, "without_skill": replies[1].tokens},
        "baseline_ms": round(replies[1].seconds * 1000, 1),
    }
    message = f"Not true of the answer: {failed[0]}" if failed else ""
    outcome = "passed" if scores[0] >= GOOD_ENOUGH else "failed"
    return CaseResult(case.name, "graded", outcome, replies[0].seconds, message, facts=facts)


async def _grades(
    statements: Sequence[str], case: GradedCase, reply: Reply, model: LanguageModel
) -> list[bool] | None:
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(statements, 1))
    expected = f"What was expected: {case.expected}\n\n" if case.expected else ""
    question = f"Task: {case.prompt}\n\n{expected}Answer:\n{reply.text}\n\nStatements:\n{listed}"
    graded = (await model.answer(GRADER, question, [])).text
    try:
        found = as_list(
            (as_mapping(loads(graded[graded.index("{") : graded.rindex("}") + 1])) or {}).get("grades")
        )
    except ValueError:
        return None
    grades = [bool((as_mapping(each) or {}).get("passed")) for each in found or []]
    return grades if len(grades) == len(statements) else None
