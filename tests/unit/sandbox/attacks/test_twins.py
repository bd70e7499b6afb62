"""Numbers that two sandboxes have alike, and clocks that are wrong, are seen."""

import json

from raptorflow.sandbox.attacks.catalogue.twins import alike, drawn_of
from raptorflow.sandbox.attacks.program import Said


def answer(clock: float, numbers: int = 4) -> Said:
    return Said("draw", "through", json.dumps({"drawn": list(range(numbers)), "time": clock}))


def test_each_kind_of_number_that_is_alike_is_named() -> None:
    assert alike([["a", 1, "b", 2], ["c", 3, "d", 4], ["e", 5, "f", 6]]) == []
    assert alike([["a", 1, "b", 2], ["c", 3, "d", 4], ["a", 5, "f", 2]]) == ["os.urandom", "hash"]


def test_a_clock_counts_from_the_nearest_moment_that_it_may_show() -> None:
    told = [drawn_of(answer(clock), 100.0, 102.0) for clock in (101.0, 97.0, 105.5)]
    assert [each.off for each in told if each] == [0.0, 3.0, 3.5]


def test_what_was_not_said_whole_is_not_compared() -> None:
    assert drawn_of(None, 0, 1) is None
    assert drawn_of(answer(1.0, numbers=3), 0, 1) is None
    assert drawn_of(Said("draw", "refused", "EPERM"), 0, 1) is None
