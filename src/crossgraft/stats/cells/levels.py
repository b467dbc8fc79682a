"""The level of a score on one set of items, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from crossgraft.core import Floats

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Level:
    """A mean with its interval; ``n`` is the sum of the weights: of items, or of the lines of a dictionary in them."""

    mean: float
    low: float
    high: float
    n: int


_NOTHING = Level(float("nan"), float("nan"), float("nan"), 0)


def share_level(rows: Floats, *, level: float = 0.95) -> Level:
    """Sum of values over sum of weights, from one row (value, weight) an item, with values between 0 and weight.

    Agresti and Coull's interval (1998) for values that need not be 0 or 1: four items are added, two of value 0 and
    two of the full one, each of mean weight, and the Wald interval is taken. Unlike the plain one it does not
    collapse when all are right or all are wrong.
    """
    counted = rows[rows[:, 1] > 0]
    if not len(counted):
        return _NOTHING
    values, weights = counted.T
    usual = float(weights.mean())
    values = np.concatenate([values, [0, 0, usual, usual]])
    weights = np.concatenate([weights, np.full(4, usual)])
    centre = float(values.sum() / weights.sum())
    error = sqrt(float(np.sum((values - centre * weights) ** 2))) / float(weights.sum())
    half = _NORMAL.inv_cdf(0.5 + level / 2) * error
    value, n = counted.sum(axis=0).tolist()
    return Level(value / n, max(0.0, centre - half), min(1.0, centre + half), round(n))
