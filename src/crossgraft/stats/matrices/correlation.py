"""How well one quantity orders another, over few units: a rank correlation with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, sqrt, tanh
from statistics import NormalDist

import numpy as np
from scipy.stats import rankdata

from crossgraft.core import Floats


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation; NaN where it, or its interval, cannot be had."""

    value: float
    low: float
    high: float
    n: int


def rank_correlation(x: Floats, y: Floats, *, level: float = 0.95) -> Correlation:
    """Spearman's ρ over the units that have both values, of ties the mean rank.

    The interval is Fisher's, with Bonett and Wright's (2000) variance for ranks, (1 + ρ²/2) / (n - 3). It takes units
    for independent; language pairs that share languages are less than that.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    first, second = rankdata(x[both]), rankdata(y[both])
    n = len(first)
    nan = float("nan")
    if n < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Correlation(nan, nan, nan, n)
    value = float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))
    if n < 4 or abs(value) > 1 - 1e-12:
        return Correlation(value, nan, nan, n)
    half = NormalDist().inv_cdf(0.5 + level / 2) * sqrt((1 + value**2 / 2) / (n - 3))
    return Correlation(value, tanh(atanh(value) - half), tanh(atanh(value) + half), n)
