"""How much of a column is noise in the control's score: all changes of a column subtract the same answers.

The base's answer to an item is one draw of what a model near the base answers, and every change of the column has the
difference in it. Within the column nothing shows this, since all its cells move together; item by item it shows: the
treatments have an item right that the base had wrong, all of them alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.resampling.clusters import cluster_sums


@dataclass(frozen=True)
class ColumnNoise:
    """Of the columns of one model, in squared percentage points.

    ``variance`` (columns,) is that of what all cells of a column have in common by noise; ``together`` is the mean covariance of two
    columns, which hold the same items in other languages.
    """

    variance: Floats
    together: float

    @property
    def between(self) -> float:
        """What it adds to the variance between column means."""
        return float(self.variance.mean()) - self.together

    @property
    def apart(self) -> Floats:
        """Variance of each column's noise about the mean over columns."""
        return np.maximum(0.0, self.variance - self.together)


def column_noise(differences: Floats, own: Floats, groups: npt.NDArray[np.integer] | None = None) -> ColumnNoise:
    """From the mean difference of every item, treatments less control, and from what differences of single treatments add to it.

    ``differences`` (columns, items) are NaN where a column lacks an item; columns whose items are others must be given NaN for
    them, so that they share nothing. Items are a sample: the variance of a column's mean is Σ d²/n², d the differences about the column's
    mean. ``own`` (columns, items) is the variance of an item's mean over K treatments that the treatments have each for
    itself, 1/K of the variance between them; it is no part of what they have in common, and is taken off. For outcomes 0 and 1 that all come up
    with probability p, control and treatments alike, Σ p(1 - p)/n² is left. Differences and their treatments' own noise are summed
    within ``groups`` (items,), such as the questions on a passage; ``own`` is then given by groups (columns, groups).
    """
    present = ~np.isnan(differences)
    counts = np.maximum(present.sum(axis=1), 1)
    centred = np.where(present, differences - np.nansum(differences, axis=1, keepdims=True) / counts[:, None], 0.0)
    units = present.astype(np.float64)
    if groups is not None:
        centred, units = summed(centred, groups), summed(units, groups)
    drawn = (units > 0).sum(axis=1)
    unbiased = np.sqrt(drawn / np.maximum(drawn - 1, 1))  # the mean was taken off
    noise = 100 * centred * (unbiased / counts)[:, None]
    products = noise @ noise.T
    alone = 1e4 * np.nansum(own, axis=1) / counts**2
    columns = len(counts)
    together = (products.sum() - np.trace(products)) / (columns * (columns - 1)) if columns > 1 else 0.0
    variance = np.maximum(0.0, np.diag(products) - alone)
    return ColumnNoise(variance, float(together) if columns > 1 else float(variance.sum()))


def summed(rows: Floats, groups: npt.NDArray[np.integer]) -> Floats:
    """Rows (…, items) summed within groups with labels from 0 on: (…, groups)."""
    count = int(groups.max(initial=-1)) + 1
    flat = rows.reshape(-1, rows.shape[-1]).T
    return cluster_sums(flat, groups, count).T.reshape(*rows.shape[:-1], count)
