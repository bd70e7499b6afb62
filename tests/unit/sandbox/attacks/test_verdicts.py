"""A verdict says what was seen: what failed, was not tried, or proves nothing is not taken for survived."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from raptorflow.sandbox.attacks import leftovers
from raptorflow.sandbox.attacks.model import Attack, NotLive, Probe, Trial, outcomes
from raptorflow.sandbox.attacks.runner import Verdict, failed, summary, try_one
from raptorflow.sandbox.attacks.stage import Harmed, Stage
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.probing import Boundary, ProbeReport
from raptorflow.sandbox.settings import SandboxSettings

Answers = Sequence[tuple[str, ...] | None]


class Listing(SandboxManager):
    """Lists one after the other; the last for ever. None cannot be listed."""

    def __init__(self, settings: SandboxSettings, answers: Answers) -> None:
        super().__init__(settings, {})
        self._answers = list(answers)

    async def list(self) -> list[Handle]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is None:
            raise SandboxUnavailable("The engine does not answer.")
        return [Handle("local", name) for name in answer]


def stage(boundary: Boundary = "shared-kernel", listed: Answers = ((),)) -> Stage:
    settings = SandboxSettings()
    report = ProbeReport("local", boundary=boundary)
    manager = Listing(settings, listed)
    return Stage(manager, settings, report, Path("/usr/bin/python3"), Path("/nonexistent"))


def saying(*trials: Trial | Exception) -> Probe:
    """A probe that comes to these, one after the other."""
    left = list(trials)

    async def probe(_: Stage) -> Trial:
        trial = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(trial, Exception):
            raise trial
        return trial

    return probe


def trial(outcome: str = "refused", *, control: bool = True) -> Trial:
    seen = outcomes("through") if outcome == "through" else outcomes("refused")
    return Trial(seen, "seen", control, "control")


async def verdict(probe: Probe, not_for: dict[str, str] | None = None) -> Verdict:
    attack = Attack("R1", "title", "tries", "held by", probe, not_for=not_for or {})
    return await try_one(attack, stage())


async def test_an_expected_outcome_with_a_live_control_holds() -> None:
    seen = await verdict(saying(trial()))
    assert (seen.state, seen.outcome, seen.control) == ("held", "refused", True)
    assert not failed(summary("local", [seen]))


async def test_what_gets_through_is_unexpected_and_not_tried_again() -> None:
    seen = await verdict(saying(trial("through", control=False), trial()))
    assert seen.state == "unexpected"
    assert failed(summary("local", [seen]))


async def test_a_dead_control_fails_the_suite_though_the_attack_was_refused() -> None:
    seen = await verdict(saying(trial(control=False)))
    counts = summary("local", [seen])
    assert (seen.state, counts["controls_dead"], failed(counts)) == ("held", 1, True)


async def test_a_control_that_starved_gets_a_second_chance() -> None:
    assert (await verdict(saying(trial(control=False), trial()))).control


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), TimeoutError()])
async def test_an_attack_that_fails_itself_has_not_been_survived(error: Exception) -> None:
    seen = await verdict(saying(error))
    assert (seen.state, seen.outcome, seen.control) == ("unexpected", "broken", False)


async def test_harm_outside_is_a_way_through() -> None:
    assert (await verdict(saying(Harmed("left")))).outcome == "through"


async def left_by(*listed: tuple[str, ...] | None) -> Verdict:
    attack = Attack("R1", "title", "tries", "held by", saying(trial()))
    return await try_one(attack, stage(listed=listed))


async def test_what_an_attack_leaves_behind_got_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "SETTLE_SECONDS", 0)
    seen = await left_by(("old",), ("old", "new"))
    assert (seen.state, seen.outcome) == ("unexpected", "refused + through")
    assert seen.evidence == "left behind: sandbox new; seen"


async def test_what_was_there_before_and_what_goes_in_a_moment_is_nothing() -> None:
    assert (await left_by(("old",))).state == "held"
    assert (await left_by((), ("new",), ("new",), ())).state == "held"


async def test_what_cannot_be_listed_is_not_known_to_be_gone() -> None:
    assert (await left_by(None)).outcome == "broken"
    assert (await left_by((), None)).outcome == "broken"


def test_groups_of_a_process_are_those_of_its_managers_and_all_below(tmp_path: Path) -> None:
    own = [f"memory/raptorflow-sandbox-7-{name}" for name in ("a", "a/b3f", "b")]
    own += ["cpu/raptorflow-microvm-manager-7-a/4c1"]
    for path in (*own, "cpu/raptorflow-sandbox-77-a/b", "cpu/other/7"):
        (tmp_path / path).mkdir(parents=True)
    found = {str(Path(path).relative_to(tmp_path)) for path in leftovers.groups_of(7, tmp_path)}
    assert found == {*own, "cpu/raptorflow-microvm-manager-7-a"}


async def test_what_was_not_tried_is_counted_apart() -> None:
    seen = await verdict(saying(NotLive("no broker")))
    counts = summary("local", [seen])
    assert (seen.state, counts["attacks"], counts["not_run"]) == ("not_run", 0, 1)


async def test_what_does_not_apply_says_why() -> None:
    seen = await verdict(saying(trial("through")), not_for={"local": "there is none"})
    assert (seen.state, seen.evidence, seen.control) == ("not_applicable", "there is none", None)


async def test_a_guest_with_a_kernel_of_its_own_may_do_more() -> None:
    contained = Trial(outcomes("contained"), "", True, "")
    attack = Attack("P2", "t", "t", "h", saying(contained), in_guest=outcomes("contained"))
    assert (await try_one(attack, stage("virtual-machine"))).state == "held"
    assert (await try_one(attack, stage())).state == "unexpected"


async def test_cancelling_is_not_an_outcome() -> None:
    with pytest.raises(asyncio.CancelledError):
        await verdict(saying_cancelled)


async def saying_cancelled(_: Stage) -> Trial:
    raise asyncio.CancelledError
