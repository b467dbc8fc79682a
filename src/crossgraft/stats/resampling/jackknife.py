"""Intervals over cells that share the noise of their tasks and languages: few tasks, not many cells, carry the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.cells.student import quantile

Labels = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Clustered:
    """A standard error and its degrees of freedom."""

    error: float
    df: int

    @property
    def half(self) -> float:
        """Half the width of a 95 % interval by Student's t."""
        return quantile(self.df) * self.error


def weighted_sum(values: Floats, weights: Floats, factors: Sequence[Sequence[Labels]]) -> Clustered | None:
    """Of Σ w·value, where cells share the noise of every label they have in common.

    A factor is one clustering, or two that cross, such as the task of the source and that of the target: V = V₁ + V₂ - V₁₂
    (Cameron, Gelbach and Miller, 2011). Factors add, less what they count twice; V is never below any of its parts. With u the
    sums of w·(value - mean of its side) in a cluster, each is G/(G-1) Σu²; positive and negative weights are a side each.
    Degrees of freedom are the fewest clusters on a side, less one; None when that is zero, or when nothing varies.
    """
    sides = [side for side in (weights > 0, weights < 0) if side.any()]
    used = [labels for factor in factors for labels in factor]
    counts = [len(np.unique(labels[side])) for labels in used for side in sides]
    if not counts or min(counts) < 2:
        return None
    deviations = np.zeros(len(values))
    for side in sides:
        deviations[side] = weights[side] * (values[side] - np.average(values[side], weights=weights[side]))
    return _student(_crossed(factors, lambda labels: _variance(deviations, labels)), min(counts) - 1)


def jackknife(
    values: Floats, factors: Sequence[Sequence[Labels]], summary: Callable[[Floats], Floats]
) -> Clustered | None:
    """Of a summary that is no sum, such as a median: one cluster after another is left out (Tukey, 1958)."""
    counts = [len(np.unique(labels)) for factor in factors for labels in factor]
    if not counts or min(counts) < 2:
        return None

    def variance(labels: Labels) -> float:
        names = np.unique(labels)
        left = np.array([float(summary(values[labels != name])) for name in names])
        return (len(names) - 1) / len(names) * float(np.sum((left - left.mean()) ** 2))

    return _student(_crossed(factors, variance), min(counts) - 1)


def _crossed(factors: Sequence[Sequence[Labels]], variance: Callable[[Labels], float]) -> float:
    totals = []
    for factor in factors:
        own = [variance(labels) for labels in factor]
        both = variance(_together(factor)) if len(own) > 1 else 0.0
        totals.append(max(*own, both, sum(own) - both))
    twice = variance(_together([labels for factor in factors for labels in factor])) if len(totals) > 1 else 0.0
    return max(*totals, sum(totals) - twice) if len(totals) > 1 else totals[0]


def _together(clusterings: Sequence[Labels]) -> Labels:
    """Cells that have all labels in common."""
    return np.unique(np.stack(clusterings), axis=1, return_inverse=True)[1].reshape(-1)


def _variance(deviations: Floats, labels: Labels) -> float:
    sums = np.bincount(np.unique(labels, return_inverse=True)[1], weights=deviations)
    count = len(sums)
    return count / (count - 1) * float(sums @ sums)


def _student(variance: float, df: int) -> Clustered | None:
    return Clustered(float(np.sqrt(variance)), df) if variance > 1e-18 else None
