"""Values that are named because they are the largest or the smallest: what that choice does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.stats.cells.student import quantile


@dataclass(frozen=True)
class Named:
    """One of several estimates: shrunk towards their mean, with an interval that holds for all of them at once."""

    value: float
    low: float
    high: float
    among: int


def named(
    values: Sequence[float], errors: Sequence[float], dfs: Sequence[float], *, shrunk: bool = True
) -> tuple[Named, ...]:
    """Each estimate, told as if it had been picked out of all for being extreme.

    The interval is Bonferroni's at 95 % (simultaneous, whatever the estimates have in common). The value is drawn towards the mean of
    all by what their errors explain of their variance: kept = τ²/(τ² + error²) with τ² = the variance less the mean squared error.
    An estimate without an interval is left as it is, and so are all where errors are only known to be at most so large.
    """
    x, error = np.array(values, dtype=float), np.array(errors, dtype=float)
    known = np.isfinite(error)
    count = int(known.sum())
    kept = np.ones(len(x))
    centre = float(x[known].mean()) if count else 0.0
    if count > 2 and shrunk:
        between = max(0.0, float(x[known].var(ddof=1) - np.mean(error[known] ** 2)))
        kept[known] = between / np.maximum(between + error[known] ** 2, 1e-300)
    value = np.where(known, centre + kept * (x - centre), x)
    half = np.array([quantile(df, 1 - 0.025 / max(1, count)) for df in dfs]) * error
    return tuple(Named(float(v), float(c - h), float(c + h), count) for v, c, h in zip(value, x, half, strict=True))
