"""Many tests at once: p-values adjusted so that few of the findings are false."""

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


def benjamini_yekutieli(p: Floats) -> Floats:
    """The same, whatever the tests have in common: the cautious variant (2001)."""
    return np.minimum(1.0, benjamini_hochberg(p) * float(np.sum(1 / np.arange(1, len(p) + 1)))) if len(p) else p
