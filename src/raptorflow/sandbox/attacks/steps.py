"""Attacks that are a list of things to try: most of them.

A step is the body of a function that ends (`through`) or raises. Its control is the same code without the
guard, or a twin of it where the real thing would hurt the machine.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from raptorflow.sandbox.attacks.model import OUTCOMES, Outcome, Trial
from raptorflow.sandbox.attacks.outside import Place
from raptorflow.sandbox.attacks.program import Said, clean, said, together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.result import SandboxResult

SHOWN = 3


@dataclass(frozen=True)
class Step:
    """One thing to try.

    Attributes:
        code: the body of a function.
        twin: what the control does instead; None for the same.
        root: the control needs root; another user's takes the twin.
        place: where the control runs; None for the list's own.
        maybe: the machine itself may refuse it to everybody; then the step proves nothing and is left out.
    """

    code: str
    twin: str | None = None
    root: bool = False
    place: Place | Literal["inside"] | None = None
    maybe: bool = False

    def controls(self) -> list[str]:
        """The code of which one must get through: root may lack a capability too, as in a container."""
        if self.twin is None:
            return [self.code]
        return [self.code, self.twin] if self.root and os.geteuid() == 0 else [self.twin]


@dataclass(frozen=True)
class Steps:
    """A probe that takes steps.

    Attributes:
        steps: name -> step, or its code.
        place: where the control runs.
        facts: global names for the code, inside and out.
        inner: more of them for the inside, in place of those of the same name.
        limits: those of the sandbox that are not the small ones.
        each: each step in a sandbox of its own, because the sandbox is not meant to survive it.
    """

    steps: Mapping[str, Step | str]
    place: Place | Literal["inside"] = "outside"
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    inner: Mapping[str, object] = field(default_factory=dict[str, object])
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    each: bool = False

    async def __call__(self, stage: Stage) -> Trial:
        """Try the control of every step, then each step that had one."""
        return await self.tried(stage, {})

    async def tried(self, stage: Stage, fields: Mapping[str, Any]) -> Trial:
        """The same, with fields of the spec."""
        steps = {name: Step(step) if isinstance(step, str) else step for name, step in self.steps.items()}
        controls = await self._controls(stage, steps, fields)
        left_out = [name for name, step in steps.items() if step.maybe and not _through(controls.get(name))]
        dead = [name for name in steps if name not in left_out and not _through(controls.get(name))]
        live = {name: step for name, step in steps.items() if name not in left_out}
        seen = await self._attempts(stage, live, fields)
        words = together([_summary(seen), _left_out(left_out)])
        return Trial(
            frozenset(outcome for outcome, _ in seen.values()) or frozenset({"broken"}),
            words,
            bool(live) and not dead,
            _control_words(dead, controls, len(live)),
        )

    async def _controls(
        self, stage: Stage, steps: Mapping[str, Step], fields: Mapping[str, Any]
    ) -> dict[str, Said]:
        first = {name: step.controls()[0] for name, step in steps.items()}
        found = await self._placed(stage, steps, first, fields)
        again = {name: step.controls()[-1] for name, step in steps.items() if not _through(found.get(name))}
        second = {name: code for name, code in again.items() if code != first[name]}
        return found | await self._placed(stage, steps, second, fields)

    async def _placed(
        self, stage: Stage, steps: Mapping[str, Step], codes: Mapping[str, str], fields: Mapping[str, Any]
    ) -> dict[str, Said]:
        """Each code's answer, from the place where its control runs."""
        places: dict[str, dict[str, str]] = defaultdict(dict)
        for name, code in codes.items():
            places[steps[name].place or self.place][name] = code
        found: dict[str, Said] = {}
        for place, placed in places.items():
            if place == "inside":
                text = stage.text(placed, {**self.facts, **self.inner}, apart=True, outside=False)
                found |= said((await stage.inside(text, **fields)).stdout)
            else:
                found |= await self._outside(stage, _place(place), placed)
        return found

    async def _outside(self, stage: Stage, place: Place, codes: Mapping[str, str]) -> dict[str, Said]:
        if not self.each:
            text = stage.text(codes, self.facts, apart=True, outside=True)
            return said((await stage.outside(text, place)).stdout)
        found: dict[str, Said] = {}
        for name, code in codes.items():
            text = stage.text({name: code}, self.facts, apart=False, outside=True)
            found |= said((await stage.outside(text, place)).stdout)
        return found

    async def _attempts(
        self, stage: Stage, steps: Mapping[str, Step], fields: Mapping[str, Any]
    ) -> dict[str, tuple[Outcome, str]]:
        facts = {**self.facts, **self.inner}
        batches = [{name: step} for name, step in steps.items()] if self.each else [steps]
        seen: dict[str, tuple[Outcome, str]] = {}
        for batch in batches:
            codes = {name: step.code for name, step in batch.items()}
            text = stage.text(codes, facts, apart=not self.each, outside=False)
            result = await stage.inside(text, **{"limits": self.limits, **fields})
            answers = said(result.stdout)
            seen |= {name: judged(result, answers.get(name)) for name in batch}
        return seen


def judged(result: SandboxResult, answer: Said | None) -> tuple[Outcome, str]:
    """What a step came to: what it said, or else the limit that ended the run."""
    if answer and answer.saw in OUTCOMES:
        return outcome(answer.saw), answer.words
    if (killed := f"killed:{result.status}") in OUTCOMES:
        return outcome(killed), result.status
    if result.signal == "SIGSYS":
        return "refused", "killed by SIGSYS"
    said_last = clean(result.stderr.decode(errors="replace")[-200:])
    return "broken", together([f"the run ended with {result.status}", result.message or "", said_last])


def outcome(word: str) -> Outcome:
    """A word as an outcome.

    Raises:
        StopIteration: it is none.
    """
    return next(name for name in OUTCOMES if name == word)


def _place(word: str) -> Place:
    places: dict[str, Place] = {"outside": "outside", "unguarded": "unguarded", "nobody": "nobody"}
    return places[word]


def _through(answer: Said | None) -> bool:
    return answer is not None and answer.succeeded


def _summary(seen: Mapping[str, tuple[Outcome, str]]) -> str:
    """Equal answers together; what is bad by name."""
    bad = [f"{name}: {kind} {words}" for name, (kind, words) in seen.items() if kind in {"through", "broken"}]
    if bad:
        return together(bad[:SHOWN])
    counted = Counter(f"{kind} ({words})" if words else kind for kind, words in seen.values())
    return ", ".join(f"{many} {kind}" for kind, many in counted.most_common(SHOWN + 1))


def _left_out(names: list[str]) -> str:
    return f"{len(names)} left out, for which this machine allows nobody anything" if names else ""


def _control_words(dead: list[str], controls: Mapping[str, Said], live: int) -> str:
    if dead:
        return together(f"{name}: {_said(controls.get(name))}" for name in dead)
    return f"{live} of {live} got through without the guard"


def _said(answer: Said | None) -> str:
    return f"{answer.saw} {answer.words}" if answer else "said nothing"
