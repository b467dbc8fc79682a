"""Intervals of a mean or a contrast whose units are few: models, or pairs of tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from crossgraft.core import Floats


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


def pair_contrast(pairs: npt.NDArray[np.integer], values: Floats) -> Interval | None:
    """How much higher the values of equal pairs are than of unequal ones, where each pair has luck of its own.

    ``pairs`` (n, 2) are labels of source and target, ``values`` (n,) their means. Least squares with an effect of every
    source and every target; what is left over is the pairs' own variance, and the contrast's. Treating the cells below
    a pair as independent would make the interval several times too narrow. None when no degree of freedom is left.
    """
    sources, targets = (np.unique(side, return_inverse=True)[1] for side in pairs.T)
    equal = (pairs[:, 0] == pairs[:, 1]).astype(float)
    design = np.column_stack([equal, np.ones(len(values)), _dummies(sources), _dummies(targets)])
    rank = int(np.linalg.matrix_rank(design))
    df = len(values) - rank
    if df < 1 or np.linalg.matrix_rank(design[:, 1:]) == rank:
        return None
    inverse = np.linalg.pinv(design, rcond=1e-9)
    effects = inverse @ values
    variance = float(np.sum((values - design @ effects) ** 2)) / df
    return interval(float(effects[0]), np.sqrt(variance * float(inverse[0] @ inverse[0])), df)


def _dummies(labels: npt.NDArray[np.integer]) -> Floats:
    return np.asarray(labels[:, None] == np.arange(1, labels.max() + 1), dtype=float)


def interval(value: float, error: float, df: float) -> Interval:
    """A value with its standard error and the degrees of freedom of that."""
    half = float(stdtrit(df, 0.975)) * error
    return Interval(value, value - half, value + half, df)
