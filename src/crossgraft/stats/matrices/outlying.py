"""Values far below the others of their row: deletion residuals, with a spread that few others tell badly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr

from crossgraft.core import Floats

Row = tuple[Floats, Floats]  # values and their standard errors


def usual_spread(rows: Sequence[Row]) -> float:
    """Standard deviation of true values within a row: the median over rows, each without its lowest value and its sampling."""
    spreads = [np.delete(values, values.argmin()).var(ddof=1) - float(np.mean(errors**2)) for values, errors in rows]
    return float(np.sqrt(max(0.0, float(np.median(spreads)))))


def far_below(values: Floats, errors: Floats, *, typical: float, df: float) -> Floats:
    """p (n,) that a value is as far below the mean of the others, were it one of them.

    The variance of the others, their sampling among it, is drawn to what is expected of them, ``typical``² and squared ``errors``, as if that were
    known by ``df`` degrees of freedom (Smyth, 2004); Student's t (Cook and Weisberg, 1982).
    """
    n = len(values)
    others = (values.sum() - values) / (n - 1)
    squares = np.array([np.delete(values, place).var() * (n - 1) for place in range(n)])
    expected = typical**2 + errors**2
    variance = (df * expected + squares) / (df + n - 2)
    t = (values - others) / np.sqrt(variance * (1 + 1 / (n - 1)))
    return np.asarray(stdtr(df + n - 2, t))
