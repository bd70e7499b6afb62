"""Trying attacks one after the other, each for a bounded time, and counting what came of them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.sandbox.attacks.leftovers import left_since, present, told
from raptorflow.sandbox.attacks.model import Attack, NotLive, Trial, outcomes
from raptorflow.sandbox.attacks.program import clean, together
from raptorflow.sandbox.attacks.stage import Harmed, Stage

MOST_SECONDS = 90.0
State = Literal["held", "unexpected", "not_applicable", "not_run"]


@dataclass(frozen=True)
class Verdict:
    """What came of one attack.

    Attributes:
        state: `held` (as expected), `unexpected`, `not_applicable` to this driver, or `not_run`: something
            that the attack needs is missing, so nothing is known.
        outcome: what was seen, or nothing.
        expected: what may come of it.
        control: whether the positive control succeeded; None when it was not tried.
    """

    attack_id: str
    title: str
    state: State
    outcome: str
    expected: tuple[str, ...]
    evidence: str
    control: bool | None
    control_evidence: str
    seconds: float


async def try_all(attacks: Sequence[Attack], stage: Stage) -> AsyncGenerator[Verdict]:
    """Each attack's verdict, as soon as there is one."""
    for attack in attacks:
        yield await try_one(attack, stage)


async def try_one(attack: Attack, stage: Stage) -> Verdict:
    """One attack's verdict, in bounded time."""
    watch = Stopwatch()
    if why := attack.not_for.get(stage.driver):
        return _untried(attack, stage, "not_applicable", why)
    try:
        trial = await _tried(attack, stage)
        if _proves_nothing(trial):
            # On a busy machine a control may starve; what got through is never tried again.
            trial = await _tried(attack, stage)
    except NotLive as missing:
        return _untried(attack, stage, "not_run", str(missing))
    return _verdict(attack, stage, trial, watch.elapsed_ms() / 1000)


def _proves_nothing(trial: Trial) -> bool:
    return (not trial.control or "broken" in trial.outcomes) and "through" not in trial.outcomes


async def _tried(attack: Attack, stage: Stage) -> Trial:
    """One trial; whatever it leaves behind got through.

    Raises:
        NotLive: something that it needs is missing.
    """
    try:
        before = await present(stage)
        trial = await _ended(attack, stage)
        left = await left_since(before, stage)
    except RaptorFlowError as error:
        words = f"what there is cannot be listed: {error.code}: {error.message}"
        return Trial(outcomes("broken"), words, False, "not finished")
    if not left:
        return trial
    return replace(
        trial, outcomes=trial.outcomes | {"through"}, evidence=together([told(left), trial.evidence])
    )


async def _ended(attack: Attack, stage: Stage) -> Trial:
    """One trial, in bounded time; what is raised is an outcome as well.

    Raises:
        NotLive: something that it needs is missing.
    """
    try:
        async with asyncio.timeout(MOST_SECONDS * stage.patience):
            return await attack.probe(stage)
    except NotLive:
        raise
    except Harmed as harm:
        return Trial(outcomes("through"), str(harm), True, "")
    except TimeoutError:
        return Trial(outcomes("broken"), "it took too long", False, "not finished")
    except RaptorFlowError as error:
        return Trial(outcomes("broken"), f"{error.code}: {error.message}", False, "not finished")
    except Exception as error:
        # One attack that goes wrong must not keep the others from being tried.
        return Trial(outcomes("broken"), f"{type(error).__name__}: {error}", False, "not finished")


def _verdict(attack: Attack, stage: Stage, trial: Trial, seconds: float) -> Verdict:
    expected = attack.expects(stage)
    return Verdict(
        attack.attack_id,
        attack.title,
        "held" if trial.outcomes and trial.outcomes <= expected else "unexpected",
        " + ".join(sorted(trial.outcomes)),
        tuple(sorted(expected)),
        clean(trial.evidence),
        trial.control,
        clean(trial.control_evidence),
        round(seconds, 2),
    )


def _untried(attack: Attack, stage: Stage, state: State, why: str) -> Verdict:
    expected = tuple(sorted(attack.expects(stage)))
    return Verdict(attack.attack_id, attack.title, state, "", expected, why, None, "", 0.0)


def summary(driver: str, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """The counts, and the rows below them, JSON-ready."""
    rows = list(verdicts)
    states = [row.state for row in rows]
    return {
        "driver": driver,
        "attacks": states.count("held") + states.count("unexpected"),
        "unexpected": states.count("unexpected"),
        "controls_dead": sum(row.control is False for row in rows),
        "not_applicable": states.count("not_applicable"),
        "not_run": states.count("not_run"),
        "seconds": round(sum(row.seconds for row in rows), 1),
        "results": [asdict(row) for row in rows],
    }


def failed(counts: dict[str, Any]) -> bool:
    """Whether something was not as it must be."""
    return bool(counts["unexpected"] or counts["controls_dead"])
