"""Scores with intervals, and honest p-values: resampling instead of distribution tables.

A score is a ratio of sums, result by base; the base of a mean is the number of rows.

- Intervals: percentile bootstrap (Efron & Tibshirani 1993), or for counts of events the gamma posterior
  with Jeffreys' prior (Brown, Cai & DasGupta 2003).
- Tests: the leader is chosen by looking at the data, so each difference is held against the largest
  difference between any two groups that chance makes (Westfall & Young 1993, single-step maxT), which keeps
  the chance of any false finding below the level. Differences are divided by their standard error, so groups
  may vary in spread (Janssen 1997). p = (b + 1) / (m + 1), never zero (Phipson & Smyth 2010).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trends import quantiles

SEED = 20_260_101
RESAMPLES = 2000
PERMUTATIONS = 3000
CHUNK = 250
MOST_BLOCKS, FEWEST_BLOCKS = 600, 20
MOST_EVENTS = 1e9
TINY = 1e-9

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """A group's observations: results and bases, summed up in blocks when there are very many rows."""

    name: str
    results: Numbers
    bases: Numbers
    rows: int

    @property
    def total(self) -> float:
        """All results."""
        return float(self.results.sum())

    @property
    def base(self) -> float:
        """All of what the results are divided by."""
        return float(self.bases.sum())

    @property
    def score(self) -> float:
        """Result per unit of base."""
        return self.total / self.base if self.base else 0.0


def blocks_for(groups: int) -> int:
    """How many blocks a group may have, so that resampling all groups stays quick."""
    return max(FEWEST_BLOCKS, MOST_BLOCKS // max(1, groups))


def make_group(name: str, results: Sequence[float], bases: Sequence[float] | None, blocks: int) -> Group:
    """A group; many rows are summed up in blocks at random, which keeps sums exact and resampling quick."""
    given = np.asarray(results, dtype=np.float64)
    rows = len(given)
    paid = np.ones(rows) if bases is None else np.asarray(bases, dtype=np.float64)
    if rows > blocks:
        places = np.random.default_rng(SEED).permutation(rows) % blocks
        given, paid = _block_sums(places, given, blocks), _block_sums(places, paid, blocks)
    return Group(name, given, paid, rows)


def _block_sums(places: NDArray[np.int64], values: Numbers, blocks: int) -> Numbers:
    return np.bincount(places, weights=values, minlength=blocks).astype(np.float64, copy=False)


def interval(group: Group) -> tuple[float, float]:
    """The 95 % bootstrap interval of a group's score."""
    size = len(group.results)
    if size < 2:
        return group.score, group.score
    picks = np.random.default_rng(SEED).integers(0, size, size=(RESAMPLES, size))
    scores = _ratio(group.results[picks].sum(axis=1), group.bases[picks].sum(axis=1))
    return _middle_95(scores)


def count_interval(group: Group) -> tuple[float, float]:
    """The 95 % interval of a rate of events."""
    chance = np.random.default_rng(SEED)
    rates = chance.gamma(group.total + 0.5, 1.0, size=RESAMPLES * 5) / group.base
    return _middle_95(rates)


def _middle_95(values: Numbers) -> tuple[float, float]:
    low, high = quantiles(values, [0.025, 0.975])
    return low, high


def leader_p_values(groups: Sequence[Group]) -> list[float]:
    """For each group but the first: how often chance makes so large a difference to the first one."""
    sizes = np.array([len(group.results) for group in groups])
    results = np.concatenate([group.results for group in groups])
    bases = np.concatenate([group.bases for group in groups])
    observed = _statistics(results[None, :], bases[None, :], sizes)[0][0, 1:]
    chance = np.random.default_rng(SEED)
    places = np.arange(len(results))

    def shuffled() -> Iterator[Numbers]:
        for _ in range(0, PERMUTATIONS, CHUNK):
            order = chance.permuted(np.tile(places, (CHUNK, 1)), axis=1)
            yield _statistics(results[order], bases[order], sizes)

    return _against_largest(observed, shuffled())


def count_p_values(groups: Sequence[Group]) -> list[float]:
    """The same for one number of events a group: chance deals all events out by base (Poisson)."""
    bases = np.array([group.base for group in groups])
    totals = np.array([group.total for group in groups])
    chance = np.random.default_rng(SEED)

    def differences(counts: Numbers) -> Numbers:
        rates = counts / bases
        variances = np.broadcast_to(totals.sum() / bases.sum() / bases, rates.shape)
        return _pairwise(rates, variances)

    def dealt() -> Iterator[Numbers]:
        for _ in range(0, PERMUTATIONS, CHUNK):
            drawn = chance.multinomial(round(totals.sum()), bases / bases.sum(), size=CHUNK)
            yield differences(drawn.astype(np.float64))

    return _against_largest(differences(totals[None, :])[0][0, 1:], dealt())


def are_counts(groups: Sequence[Group]) -> bool:
    """Whether the totals can be numbers of events: whole, not negative, not beyond counting."""
    totals = [group.total for group in groups]
    return all(total >= 0 and total == round(total) for total in totals) and 0 < sum(totals) < MOST_EVENTS


def _statistics(results: Numbers, bases: Numbers, sizes: NDArray[np.int64]) -> Numbers:
    """Pairwise studentised differences, (arrangements, groups, groups), of rows in the order of groups."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def sums(values: Numbers) -> Numbers:
        return np.add.reduceat(values, starts, axis=1)

    total, base = sums(results), sums(bases)
    scores = _ratio(total, base)
    # The variance of a ratio of sums, to first order: what is left of the results after score times base.
    left = results - np.repeat(scores, sizes, axis=1) * bases
    variances = _ratio(sums(left**2) * sizes / np.maximum(sizes - 1, 1), base**2)
    return _pairwise(scores, variances)


def _pairwise(scores: Numbers, variances: Numbers) -> Numbers:
    difference = np.abs(scores[:, :, None] - scores[:, None, :])
    error = np.sqrt(variances[:, :, None] + variances[:, None, :])
    scale = np.abs(scores).max(axis=1)[:, None, None]
    certain = np.where(difference > TINY * scale, np.inf, 0.0)
    return np.divide(difference, error, out=certain, where=error > TINY * scale)


def _against_largest(observed: Numbers, arrangements: Iterator[Numbers]) -> list[float]:
    as_large = np.zeros(len(observed))
    count = 0
    for differences in arrangements:
        largest = differences.max(axis=(1, 2))
        as_large += (largest[:, None] >= observed[None, :] * (1 - TINY)).sum(axis=0)
        count += len(largest)
    return [float(share) for share in (as_large + 1) / (count + 1)]


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)
