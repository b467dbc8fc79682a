"""Many tests at once: p-values adjusted so that few of the findings are false, or so that none of them is likely to be."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values: calling those below q findings leaves a share of at most q false ones on average.

    Benjamini and Hochberg (1995); it holds for positively dependent tests, such as cells with a base in common.
    """
    order = np.argsort(p)
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(ranked[::-1])[::-1])
    return adjusted


def bonferroni(p: Floats) -> Floats:
    """Every p-value times their number (Dunn, 1961).

    >>> bonferroni(np.array([0.01, 0.04, 0.9])).round(4).tolist()
    [0.03, 0.12, 1.0]
    """
    return np.minimum(1.0, p * len(p))


def holm(p: Floats) -> Floats:
    """The smallest times their number, the next times one less, and so on, never falling (Holm, 1979).

    It guards against a false finding as Bonferroni does, and finds at least as much.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted
