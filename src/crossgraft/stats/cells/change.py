"""One cell: the paired change of n items, its interval, its p-value, and the smallest change it could have shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from crossgraft.core import Floats
from crossgraft.stats.cells.student import quantile, satterthwaite, two_sided

_NORMAL = NormalDist()
_Z80 = _NORMAL.inv_cdf(0.8)


@dataclass(frozen=True, slots=True)
class Change:
    """A mean paired difference with its interval, in the unit of the differences."""

    mean: float
    low: float
    high: float
    error: float  # standard error; infinite where nothing is known of it
    n: int
    detectable: float  # a true change of this size would be seen with a probability of .8
    p: float | None = None  # two-sided, of no change; none where there are no items
    discordant: float | None = None  # share of the items that changed
    why: str = ""  # why there is no interval; low and high are then infinite
    seed_variance: float = 0.0  # what seeds add to the variance of the mean, in squared units
    df: float = inf  # degrees of freedom by which the error is known


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """The variance between the seeds of a cell, and the degrees of freedom by which it is known."""

    variance: float  # of one seed, in squared units of the differences
    seeds: int
    df: float

    @classmethod
    def of(cls, seed_means: Floats) -> SeedNoise | None:
        """From the cell alone; with one seed nothing is known."""
        count = len(seed_means)
        return cls(float(np.var(seed_means, ddof=1)), count, count - 1.0) if count > 1 else None


def paired_change(
    differences: Floats,
    noise: SeedNoise | None = None,
    *,
    groups: npt.NDArray[np.integer] | None = None,
    level: float = 0.95,
) -> Change:
    """Mean of paired differences in [-1, 1], with an Agresti–Min interval.

    Agresti and Min (2005) add half an item to each of the four outcomes (right or wrong before ×
    after) and take the Wald interval; unlike the plain one it does not collapse to zero width
    when nothing changed. In terms of differences d: n + 2 items, Σd, Σd² + 1, so it also serves
    outcomes that were averaged over seeds. Of items in ``groups`` (labels from 0 on), such as
    questions on one passage, the groups' sums are squared instead (Miller, 2024).

    The variance between seeds, over their number, is added to the squared error; the interval is then Student's with
    Satterthwaite's degrees of freedom. p is McNemar's mid-p where outcomes are right or wrong and nothing else varies.
    """
    n = len(differences)
    if n == 0:
        return Change(nan, nan, nan, nan, 0, nan)
    total = float(differences.sum())
    size = n + 2
    centre = total / size
    sums = differences if groups is None else np.bincount(groups, weights=differences)
    sizes = np.ones(n) if groups is None else np.bincount(groups).astype(float)
    deviations = sums - centre * sizes
    variance = (float(deviations @ deviations) + 1 + 2 * centre**2) / size**2
    between = noise.variance / noise.seeds if noise else 0.0
    spent = between**2 / noise.df if noise and between > 0 else 0.0
    if groups is not None and len(sums) > 1:  # few groups tell their variance badly: Student's, and the unbiased one
        variance *= len(sums) / (len(sums) - 1)
        spent += variance**2 / (len(sums) - 1)
    error = sqrt(variance + between)
    df = satterthwaite(variance + between, spent)
    z = quantile(df, 0.5 + level / 2)
    whole = bool(np.all((differences == 0) | (np.abs(differences) == 1)))
    if whole and noise is None and groups is None:
        p = mcnemar(int(np.sum(differences > 0)), int(np.sum(differences < 0)))
    else:
        p = two_sided(centre, error, df)
    return Change(
        total / n,
        max(-1.0, centre - z * error),
        min(1.0, centre + z * error),
        error,
        n,
        (z + _Z80) * error,
        p,
        float(np.mean(np.abs(differences))),
        seed_variance=between,
        df=df,
    )


def mcnemar(gained: int, lost: int) -> float:
    """Mid-p of McNemar's test: of ``gained + lost`` items that changed, half should have gained.

    The exact test is needlessly timid, because outcomes are discrete; half the probability of what was seen corrects it
    (Fagerland, Lydersen and Laake, 2013).
    """
    changed, fewer = gained + lost, min(gained, lost)
    if gained == lost:
        return 1.0
    below = float(bdtr(fewer - 1, changed, 0.5)) if fewer else 0.0
    return 2 * below + (float(bdtr(fewer, changed, 0.5)) - below)


def wilson(share: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's (1927) interval of a share of n items.

    >>> [round(end, 3) for end in wilson(0.0, 20)]
    [0.0, 0.161]
    """
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half
