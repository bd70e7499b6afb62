"""Outliers, and how numbers develop over time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEED = 20_260_101
SHUFFLES = 2000
MODIFIED_Z = 3.5
TUKEY = 1.5

Numbers = NDArray[np.float64]


def quantiles(values: Numbers, shares: Sequence[float]) -> list[float]:
    """Quantiles, linear between neighbours; numpy's own would load more of numpy at the start."""
    ordered = np.sort(values)
    places = np.asarray(shares) * (len(ordered) - 1)
    return [float(value) for value in np.interp(places, np.arange(len(ordered)), ordered)]


def outliers(values: Numbers) -> tuple[int, str]:
    """How many values stand far out, and by which rule.

    Modified z-score above 3.5 (Iglewicz & Hoaglin 1993); where over half of the values are the same, Tukey's
    fences at 1.5 interquartile ranges; where three quarters are, nothing can be said.
    """
    middle = quantiles(values, [0.5])[0]
    spread = quantiles(np.abs(values - middle), [0.5])[0]
    if spread:
        return int((0.6745 * np.abs(values - middle) > MODIFIED_Z * spread).sum()), "modified z-score > 3.5"
    low, high = quantiles(values, [0.25, 0.75])
    fence = TUKEY * (high - low)
    if not fence:
        return 0, "none: most values are the same"
    return int(((values < low - fence) | (values > high + fence)).sum()), "beyond 1.5 interquartile ranges"


def trend(days: Numbers, values: Numbers) -> tuple[float, float]:
    """The slope per day (least squares) and its permutation p-value, two-sided."""
    centred_days, centred = days - days.mean(), values - values.mean()
    scale = float((centred_days**2).sum())
    if scale == 0 or not centred.any():
        return 0.0, 1.0
    observed = float(centred @ centred_days)
    order = np.random.default_rng(SEED).permuted(np.tile(np.arange(len(values)), (SHUFFLES, 1)), axis=1)
    shuffled = np.abs(centred[order] @ centred_days)
    as_large = int((shuffled >= abs(observed) * (1 - 1e-9)).sum())
    return observed / scale, (as_large + 1) / (SHUFFLES + 1)


def holm(p_values: list[float]) -> list[float]:
    """Corrects for asking several times (Holm 1979); the order stays."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = highest
    return corrected
