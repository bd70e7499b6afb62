"""Ids sort by time, times carry their zone, errors are documents."""

import inspect
from datetime import UTC, timedelta

import pytest

from raptorflow.base import errors
from raptorflow.base.clock import Stopwatch, utc_now
from raptorflow.base.errors import InvalidInput, NotAuthenticated, RaptorFlowError
from raptorflow.base.ids import new_id


def test_ids_are_version_7_and_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(5000)]
    assert {made.version for made in ids} == {7}
    assert ids == sorted(set(ids))


def test_an_ids_first_48_bits_are_the_time_in_milliseconds() -> None:
    before = utc_now()
    milliseconds = new_id().int >> 80
    assert abs(milliseconds / 1000 - before.timestamp()) < 1


def test_now_is_aware_and_utc() -> None:
    now = utc_now()
    assert now.tzinfo is UTC
    assert now.utcoffset() == timedelta(0)


def test_a_stopwatch_only_goes_forward() -> None:
    watch = Stopwatch()
    first, second = watch.elapsed_ms(), watch.elapsed_ms()
    assert 0 <= first <= second < 1000


def test_an_errors_own_hint_wins_over_its_classs() -> None:
    assert NotAuthenticated("No.").problem()["hint"] == NotAuthenticated.default_hint
    assert NotAuthenticated("No.", hint="Ask.").problem()["hint"] == "Ask."
    assert "hint" not in InvalidInput("No.").problem()


def test_a_problem_has_no_empty_members_and_does_not_share_the_callers_details() -> None:
    details = {"n": 1}
    error = InvalidInput("Too small.", details=details)
    details["n"] = 2
    assert error.problem("/here") == {
        "type": "urn:raptorflow:error:invalid-input",
        "title": "Invalid input",
        "status": 422,
        "code": "invalid-input",
        "detail": "Too small.",
        "instance": "/here",
        "details": {"n": 1},
    }
    assert str(error) == "Too small."


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, RaptorFlowError) and kind is not RaptorFlowError
    ],
)
def test_every_kind_stands_in_the_tree_with_its_status_and_code(kind: type[RaptorFlowError]) -> None:
    line = next(line for line in str(errors.__doc__).splitlines() if f" {kind.__name__} " in line)
    assert line.split()[-2:] == [str(kind.status), kind.code]
