"""Intervals over cells that are alike in clusters, such as pairs of tasks: few clusters, not many cells, carry the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from crossgraft.core import Floats

Labels = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Clustered:
    """Half the width of a 95 % interval by Student's t, and its degrees of freedom."""

    half: float
    df: int


def weighted_sum(values: Floats, weights: Floats, clusterings: Sequence[Labels]) -> Clustered | None:
    """Of Σ w·value, with clusters crossed in any number of ways, two at most.

    Two-way: V = V₁ + V₂ - V₁₂ (Cameron, Gelbach and Miller, 2011), never below the larger of the two. With u the sums of
    w·(value - mean of its side) in a cluster, V = G/(G-1) Σu²; positive and negative weights are a side each. Degrees of
    freedom are the fewest clusters on a side, less one; None when that is zero, or when nothing varies.
    """
    sides = [weights > 0, weights < 0]
    counts = [len(np.unique(labels[side])) for labels in clusterings for side in sides if side.any()]
    if not counts or min(counts) < 2:
        return None
    deviations = np.zeros(len(values))
    for side in sides:
        if side.any():
            deviations[side] = weights[side] * (values[side] - np.average(values[side], weights=weights[side]))
    own = [_variance(deviations, labels) for labels in clusterings]
    variance = own[0]
    if len(own) == 2:
        both = np.unique(np.stack(clusterings), axis=1, return_inverse=True)[1].reshape(-1)
        variance = max(*own, sum(own) - _variance(deviations, both))
    return _student(variance, min(counts) - 1)


def jackknife(values: Floats, clusters: Labels, summary: Callable[[Floats], Floats]) -> Clustered | None:
    """Of a summary that is no sum, such as a median: one cluster after another is left out (Tukey, 1958)."""
    names = np.unique(clusters)
    count = len(names)
    if count < 2:
        return None
    left = np.array([float(summary(values[clusters != name])) for name in names])
    return _student((count - 1) / count * float(np.sum((left - left.mean()) ** 2)), count - 1)


def _variance(deviations: Floats, labels: Labels) -> float:
    sums = np.bincount(np.unique(labels, return_inverse=True)[1], weights=deviations)
    count = len(sums)
    return count / (count - 1) * float(sums @ sums)


def _student(variance: float, df: int) -> Clustered | None:
    return Clustered(float(stdtrit(df, 0.975)) * float(np.sqrt(variance)), df) if variance > 1e-18 else None
