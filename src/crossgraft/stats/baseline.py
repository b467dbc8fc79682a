"""How much of a column is the luck of the control: all changes of a column subtract the same answers.

If an item is answered right with probability p by any model near the base, the base's answer y is one draw of it, and
every change of the column has p - y in it. Nothing in the column shows this: it moves as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats


@dataclass(frozen=True)
class ColumnLuck:
    """Of the columns of one model, in squared percentage points.

    ``variance`` (columns,) is that of each column's luck; ``between`` what it adds to the variance between column means, less
    than the mean of the variances where columns hold the same items in other languages and are lucky together.
    """

    variance: Floats
    between: float


def column_luck(right: Floats, control: Floats, runs: int) -> ColumnLuck:
    """From the share of runs that have each item right, and the control's own answers, both (columns, items).

    NaN where a column lacks an item. p(1 - p) is too small by (S-1)/S when p is a mean of S ``runs``. Columns whose items are
    others must be given NaN for them, so that they share nothing.
    """
    counts = np.sum(~np.isnan(right), axis=1)
    scale = runs / (runs - 1) if runs > 1 else 1.0
    variance = 1e4 * scale * np.nansum(right * (1 - right), axis=1) / counts**2
    luck = np.nan_to_num(right - control) / counts[:, None] * 100
    together = luck @ luck.T  # an unbiased guess of the covariance, for independent items
    columns = len(counts)
    if columns < 2:
        return ColumnLuck(variance, 0.0)
    apart = (together.sum() - np.trace(together)) / (columns * (columns - 1))
    return ColumnLuck(variance, float(variance.mean() - apart))
