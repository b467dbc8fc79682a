"""Student's t with any degrees of freedom, also infinitely many: the normal distribution."""

from __future__ import annotations

from scipy.special import ndtr, ndtri, stdtr, stdtrit

_NORMAL = 1000  # from here on the two differ by less than two thousandths


def quantile(df: float, probability: float = 0.975) -> float:
    """
    >>> round(quantile(4), 3), round(quantile(float("inf")), 3)
    (2.776, 1.96)
    """
    return float(stdtrit(df, probability) if df < _NORMAL else ndtri(probability))


def two_sided(mean: float, error: float, df: float) -> float:
    """The p-value of a mean of zero, given the standard error of the mean; 1 where there is no error to compare with.

    >>> round(two_sided(1.0, 0.5, 4), 3), round(two_sided(1.0, 0.5, float("inf")), 3)
    (0.116, 0.046)
    """
    if not error > 0:
        return 1.0
    t = -abs(mean) / error
    return 2 * float(stdtr(df, t) if df < _NORMAL else ndtr(t))


def satterthwaite(variance: float, spent: float) -> float:
    """Degrees of freedom of a sum of variances; ``spent`` is Σ v²/df over those that are not known exactly."""
    df = variance**2 / spent if spent > 0 else float("inf")
    return df if df < _NORMAL else float("inf")
