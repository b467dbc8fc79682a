"""Intervals of a mean or a contrast whose units are few: models, or pairs of tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.cells.student import quantile


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval by Student's t."""

    value: float
    low: float
    high: float
    df: float


def mean_of_units(values: Floats) -> Interval | None:
    """The mean of independent units, such as one value a model; None with fewer than two."""
    if len(values) < 2:
        return None
    return interval(float(values.mean()), float(values.std(ddof=1)) / np.sqrt(len(values)), len(values) - 1)


def jackknifed(value: float, without: Floats) -> Interval | None:
    """A value with Student's interval over units, from the same value ``without`` each of them (Tukey, 1958).

    For statistics to which units contribute in pairs, such as tasks as source and as target. It asks neither that all
    pairs vary alike nor that sources and targets have no effects of their own. None with fewer than two units.
    """
    count = len(without)
    if count < 2:
        return None
    single = count * value - (count - 1) * without  # Tukey's pseudo-values
    return interval(value, float(single.std(ddof=1)) / np.sqrt(count), count - 1)


def interval(value: float, error: float, df: float) -> Interval:
    """A value with its standard error and the degrees of freedom of that."""
    half = quantile(df) * error
    return Interval(value, value - half, value + half, df)
