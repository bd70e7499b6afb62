"""The statistics hold what they promise, over many made-up worlds with known truth."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

WORLDS = 400


@pytest.fixture
def significance(analytics: Any) -> ModuleType:
    """The skill's statistics."""
    return analytics("significance")


def worlds(significance: ModuleType, rates: list[float], rows: int) -> list[list[float]]:
    """The leader's p-values in many worlds: Poisson results, unequal spend."""
    found: list[list[float]] = []
    for seed in range(WORLDS):
        chance = np.random.default_rng(seed)
        groups: list[Any] = []
        for place, rate in enumerate(rates):
            spend = chance.uniform(1, 10, rows) * (place + 1)
            results = chance.poisson(spend * rate).astype(float)
            groups.append(significance.make_group(str(place), results, spend, 60))
        groups.sort(key=lambda group: -group.score)
        found.append(significance.leader_p_values(groups))
    return found


@pytest.mark.parametrize(("groups", "rows"), [(2, 12), (2, 40), (4, 12), (6, 10)])
def test_equal_groups_are_called_different_in_one_world_of_twenty(
    significance: ModuleType, groups: int, rows: int
) -> None:
    smallest = np.array([min(p_values) for p_values in worlds(significance, [0.3] * groups, rows)])

    # Four standard deviations of a binomial share.
    for level in (0.05, 0.2, 0.5):
        slack = 4 * (level * (1 - level) / WORLDS) ** 0.5
        assert abs(float((smallest < level).mean()) - level) < slack + 0.06 * level


def test_a_planted_winner_is_found(significance: ModuleType) -> None:
    p_values = worlds(significance, [0.7, 0.3, 0.3, 0.3], 30)

    assert np.mean([max(row) < 0.05 for row in p_values]) > 0.95


def test_intervals_cover_the_truth(significance: ModuleType) -> None:
    covered = 0
    for seed in range(WORLDS):
        chance = np.random.default_rng(seed)
        spend = chance.uniform(1, 10, 40)
        results = chance.poisson(spend * 0.3).astype(float)
        low, high = significance.interval(significance.make_group("g", results, spend, 60))
        covered += low <= 0.3 <= high

    assert 0.9 < covered / WORLDS < 0.98


def test_counts_alone_are_judged_as_fairly(significance: ModuleType) -> None:
    smallest: list[float] = []
    for seed in range(WORLDS):
        chance = np.random.default_rng(seed)
        groups = [
            significance.make_group(
                str(place), [float(chance.poisson(50.0 * (place + 1)))], [place + 1.0], 60
            )
            for place in range(3)
        ]
        groups.sort(key=lambda group: -group.score)
        smallest.append(min(significance.count_p_values(groups)))

    assert 0.01 < np.mean(np.array(smallest) < 0.05) < 0.1


def test_summing_up_many_rows_keeps_the_sums(significance: ModuleType) -> None:
    values = np.arange(10_000, dtype=float)
    group = significance.make_group("g", values, values + 1, 100)

    assert len(group.results) == 100
    assert group.total == values.sum()
    assert group.base == values.sum() + 10_000
    assert group.rows == 10_000


def test_the_same_data_gives_the_same_p_values(significance: ModuleType) -> None:
    groups = [significance.make_group(name, [1.0, 2, 4, 9], None, 60) for name in "ab"]

    assert significance.leader_p_values(groups) == significance.leader_p_values(groups) == [1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(analytics: Any, p_values: list[float]) -> None:
    corrected = analytics("trends").holm(p_values)

    assert all(one <= other <= 1 for one, other in zip(p_values, corrected, strict=True))
    ranked = [value for _, value in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)
    assert min(corrected) == min(1, min(p_values) * len(p_values))


def test_quantiles_are_numpys(analytics: Any) -> None:
    values = np.random.default_rng(1).normal(size=501)

    assert analytics("trends").quantiles(values, [0.025, 0.5, 1]) == pytest.approx(
        np.quantile(values, [0.025, 0.5, 1])
    )


def test_a_trend_is_found_and_noise_is_not(analytics: Any) -> None:
    chance = np.random.default_rng(3)
    days, noise = np.arange(60.0), chance.normal(size=60)

    slope, p_value = analytics("trends").trend(days, 2 * days + noise)
    assert slope == pytest.approx(2, abs=0.1)
    assert p_value < 0.001
    assert analytics("trends").trend(days, noise)[1] > 0.05
    assert analytics("trends").trend(days, np.ones(60)) == (0.0, 1.0)
