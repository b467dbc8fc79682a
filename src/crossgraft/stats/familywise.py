"""Many comparisons at once: p-values adjusted so that a single false finding among them is unlikely."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats


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
