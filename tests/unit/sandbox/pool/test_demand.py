import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.pool.demand import ArrivalRate, Bounds, Durations, shares, wanted

rates = st.floats(0, 1000)
seconds = st.floats(0, 60)
margins = st.floats(0, 5)


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    most = draw(st.integers(0, 50))
    return Bounds(draw(st.integers(0, 60)), most)


@given(rate=rates, create=seconds, margin=margins, limits=bounds())
def test_the_target_stays_within_its_bounds(
    rate: float, create: float, margin: float, limits: Bounds
) -> None:
    target = wanted(rate, create, margin, limits)
    assert 0 <= target <= limits.most
    assert target >= min(limits.least, limits.most)


@given(rate=rates, more=rates, create=seconds, margin=margins)
def test_more_requests_never_want_fewer(rate: float, more: float, create: float, margin: float) -> None:
    limits = Bounds(0, 10**9)
    assert wanted(rate, create, margin, limits) <= wanted(rate + more, create, margin, limits)


@given(rate=st.floats(0.001, 100), create=st.floats(0.001, 60))
def test_any_demand_wants_at_least_one_and_covers_the_mean(rate: float, create: float) -> None:
    target = wanted(rate, create, 1.65, Bounds(0, 10**9))
    assert target >= max(1, math.floor(rate * create))


def test_no_demand_wants_none() -> None:
    assert wanted(0, 10, 1.65, Bounds(0, 8)) == 0


@given(gap=st.floats(0.05, 5))
def test_the_rate_of_a_steady_stream_is_found(gap: float) -> None:
    rate, now = ArrivalRate(60), 0.0
    while now < 600:
        now += gap
        rate.arrived(now)
    assert rate.at(now) == pytest.approx(1 / gap, rel=0.1)


@given(st.lists(st.floats(-5, 100), max_size=50))
def test_the_rate_is_never_negative_and_only_fades_without_requests(gaps: list[float]) -> None:
    rate, now = ArrivalRate(10), 100.0
    for gap in gaps:
        now += gap
        rate.arrived(now)
    later = [rate.at(now + wait) for wait in (0, 1, 10, 100, 10_000)]
    assert all(one >= two >= 0 for one, two in pairwise(later))


@given(st.lists(seconds, min_size=1, max_size=64))
def test_the_percentile_is_one_that_was_seen_and_few_are_above_it(times: list[float]) -> None:
    durations = Durations()
    for time in times:
        durations.add(time)
    p95 = durations.p95(otherwise=-1)
    assert p95 in times
    assert sum(time > p95 for time in times) <= 0.05 * len(times)


def test_before_the_first_measurement_the_guess_counts() -> None:
    assert Durations().p95(otherwise=0.5) == 0.5


def test_old_durations_are_forgotten() -> None:
    durations = Durations(samples=3)
    for time in (9.0, 1.0, 1.0, 1.0):
        durations.add(time)
    assert durations.p95(otherwise=0) == 1.0


@given(wishes=st.lists(st.integers(0, 20), max_size=20), total=st.integers(0, 100))
def test_the_first_get_what_they_want_and_the_last_give_way(wishes: list[int], total: int) -> None:
    given_out = shares(wishes, total)
    assert sum(given_out) == min(total, sum(wishes))
    cut = [number for number, wish in enumerate(wishes) if given_out[number] < wish]
    assert all(given_out[number] == 0 for number in range(len(wishes)) if cut and number > cut[0])
