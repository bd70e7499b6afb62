"""Scores with intervals, and honest p-values: resampling instead of distribution tables.

Bootstrap intervals: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), percentile method.
Permutation tests: Phipson & Smyth (2010), p = (b + 1) / (m + 1), never zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED = 20_260_101
RESAMPLES = 2000
PERMUTATIONS = 5000
MOST_BLOCKS = 1500
CHUNK = 500

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """A group's observations: results, and what each cost (ones where nothing has a cost)."""

    name: str
    results: Numbers
    costs: Numbers
    rows: int

    @property
    def score(self) -> float:
        """Result per unit of cost; the mean, where nothing has a cost."""
        total = float(self.costs.sum())
        return float(self.results.sum()) / total if total else 0.0


def make_group(name: str, results: Sequence[float], costs: Sequence[float] | None) -> Group:
    """A group; many rows are summed up in blocks, which keeps sums exact and resampling quick."""
    rows = len(results)
    given = np.asarray(results, dtype=np.float64)
    paid = np.ones(rows) if costs is None else np.asarray(costs, dtype=np.float64)
    if rows > MOST_BLOCKS:
        blocks = np.arange(rows) % MOST_BLOCKS
        given, paid = (np.bincount(blocks, weights=values, minlength=MOST_BLOCKS) for values in (given, paid))
    return Group(name, given, paid, rows)


def interval(group: Group) -> tuple[float, float]:
    """The 95 % bootstrap interval of a group's score."""
    size = len(group.results)
    if size < 2:
        return group.score, group.score
    chance = np.random.default_rng(SEED)
    scores: list[Numbers] = []
    for _ in range(0, RESAMPLES, CHUNK):
        picks = chance.integers(0, size, size=(CHUNK, size))
        costs = group.costs[picks].sum(axis=1)
        results = group.results[picks].sum(axis=1)
        scores.append(np.divide(results, costs, out=np.zeros_like(results), where=costs != 0))
    low, high = np.quantile(np.concatenate(scores), [0.025, 0.975])
    return float(low), float(high)


def permutation_p(one: Group, other: Group) -> float:
    """The two-sided p-value that two groups' scores differ by chance alone."""
    results = np.concatenate([one.results, other.results])
    costs = np.concatenate([one.costs, other.costs])
    size, total = len(one.results), len(results)
    if min(size, total - size) < 2:
        return 1.0
    observed = abs(one.score - other.score)
    chance = np.random.default_rng(SEED)
    as_large = 0
    for _ in range(0, PERMUTATIONS, CHUNK):
        order = chance.random((CHUNK, total)).argsort(axis=1)
        first = order[:, :size]
        one_result, one_cost = results[first].sum(axis=1), costs[first].sum(axis=1)
        other_result, other_cost = results.sum() - one_result, costs.sum() - one_cost
        difference = _ratio(one_result, one_cost) - _ratio(other_result, other_cost)
        as_large += int((np.abs(difference) >= observed - 1e-12).sum())
    return (as_large + 1) / (PERMUTATIONS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrects for asking several times (Holm 1979); the order stays."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = highest
    return corrected


def outliers(values: Numbers) -> int:
    """Values with a modified z-score above 3.5 (Iglewicz & Hoaglin 1993)."""
    middle = np.median(values)
    spread = np.median(np.abs(values - middle))
    return int((np.abs(0.6745 * (values - middle)) > 3.5 * spread).sum()) if spread else 0


def trend(days: Numbers, values: Numbers) -> tuple[float, float]:
    """The slope per day (least squares) and the permutation p-value of its correlation."""
    centred_days, centred = days - days.mean(), values - values.mean()
    scale = float((centred_days**2).sum())
    if scale == 0 or not centred.any():
        return 0.0, 1.0
    observed = float(centred_days @ centred)
    chance = np.random.default_rng(SEED)
    shuffled = np.array([chance.permutation(centred) @ centred_days for _ in range(RESAMPLES)])
    p_value = (int((np.abs(shuffled) >= abs(observed) - 1e-12).sum()) + 1) / (RESAMPLES + 1)
    return observed / scale, p_value


def _ratio(results: Numbers, costs: Numbers) -> Numbers:
    return np.divide(results, costs, out=np.zeros_like(results), where=costs != 0)
