"""How well one matrix predicts another of the same rows and columns: over rows, within columns, over columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from statistics import NormalDist

import numpy as np
from scipy.stats import rankdata

from crossgraft.core import Floats

_FEWEST = 4  # units for an interval
_NOTHING = 1e-16  # a sum of squares that is rounding
_LARGEST = 0.9999  # of a drawn correlation, so that its z is finite


@dataclass(frozen=True, slots=True)
class Link:
    """Pearson's correlation with its interval, and of how many independent units; NaN where one cannot be had."""

    value: float
    low: float
    high: float
    units: int


@dataclass(frozen=True, slots=True)
class Predicting:
    """Correlations of two matrices (rows are methods, columns pairs)."""

    rows: Link  # of the means of rows
    within: Link  # of what rows have over the mean of their column
    columns: Link  # of the means of columns
    ranks: float  # Spearman's, of the means of rows


def predicting(
    x: Floats, y: Floats, clusters: Sequence[object], *, draws: int, rng: np.random.Generator, level: float = 0.95
) -> Predicting:
    """``x`` and ``y`` are (rows, columns) without gaps; rows of one cluster are drawn together.

    Clusters and columns are both drawn anew, with replacement. On the scale of Fisher's z the standard error is that of
    the draws, and at least Fisher's 1 / √(units - 3), units being clusters, or columns where columns are compared.
    """
    codes = np.unique([str(cluster) for cluster in clusters], return_inverse=True)[1]
    count, columns = int(codes.max()) + 1, x.shape[1]
    row_times = rng.multinomial(count, np.full(count, 1 / count), size=draws)[:, codes].astype(float)
    column_times = rng.multinomial(columns, np.full(columns, 1 / columns), size=draws).astype(float)
    once = np.ones((1, len(codes))), np.ones((1, columns))
    found = [_correlations(x, y, *once), _correlations(x, y, row_times, column_times)]
    half = NormalDist().inv_cdf(0.5 + level / 2)
    rows, within, over = (
        _link(float(value[0]), drawn, units, half)
        for value, drawn, units in zip(*found, (count, count, columns), strict=True)
    )
    ranked = [rankdata(one.mean(axis=1))[None] for one in (x, y)]
    return Predicting(rows, within, over, float(_weighted(ranked[0], ranked[1], once[0])[0]))


def _correlations(x: Floats, y: Floats, rows: Floats, columns: Floats) -> tuple[Floats, Floats, Floats]:
    """All three, with how often each row and column counts in each draw: (draws, rows) and (draws, columns)."""
    x_rows, y_rows = (columns @ one.T / columns.sum(axis=1, keepdims=True) for one in (x, y))
    x_columns, y_columns = (rows @ one / rows.sum(axis=1, keepdims=True) for one in (x, y))
    x_beyond, y_beyond = (
        (one - means[:, None, :]).reshape(len(rows), -1) for one, means in ((x, x_columns), (y, y_columns))
    )
    times = (rows[:, :, None] * columns[:, None, :]).reshape(len(rows), -1)
    return (
        _weighted(x_rows, y_rows, rows),
        _weighted(x_beyond, y_beyond, times),
        _weighted(x_columns, y_columns, columns),
    )


def _weighted(x: Floats, y: Floats, weights: Floats) -> Floats:
    """The correlation of each draw, NaN where one side does not vary. (draws,)"""
    total = weights.sum(axis=1, keepdims=True)
    dx, dy = (one - (weights * one).sum(axis=1, keepdims=True) / total for one in (x, y))
    xx, yy, xy = ((weights * one).sum(axis=1) for one in (dx * dx, dy * dy, dx * dy))
    vary = (xx > _NOTHING) & (yy > _NOTHING)
    found = np.divide(xy, np.sqrt(xx * yy), out=np.full(len(xy), np.nan), where=vary)
    return np.asarray(np.clip(found, -1, 1))


def _link(value: float, drawn: Floats, units: int, half: float) -> Link:
    drawn = drawn[~np.isnan(drawn)]
    if units < _FEWEST or np.isnan(value) or not len(drawn):
        return Link(value, float("nan"), float("nan"), units)
    z = np.arctanh(np.clip(drawn, -_LARGEST, _LARGEST))
    error = max(float(z.std()), 1 / sqrt(units - 3))
    centre = atanh(float(np.clip(value, -_LARGEST, _LARGEST)))
    return Link(value, tanh(centre - half * error), tanh(centre + half * error), units)
