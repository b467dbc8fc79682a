"""One cell: the paired change of n items, its interval, and the smallest change it could have shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from crossgraft.core import Floats

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Change:
    """A mean paired difference with its interval, in the unit of the differences."""

    mean: float
    low: float
    high: float
    n: int
    detectable: float  # a true change of this size would be seen with a probability of .8


def paired_change(differences: Floats, seed_means: Floats | None = None, *, level: float = 0.95) -> Change:
    """Mean of paired differences in [-1, 1], with an Agresti–Min interval.

    Agresti and Min (2005) add half an item to each of the four outcomes (right or wrong before ×
    after) and take the Wald interval; unlike the plain one it does not collapse to zero width
    when nothing changed. In terms of differences d: n + 2 items, Σd, Σd² + 1, so it also serves
    outcomes that were averaged over seeds.

    ``seed_means`` are the changes of each training seed; with two or more, their variance over
    their number is added to the squared standard error. The interval is for new items and new
    seeds of this cell. With few seeds this variance is itself poorly known.
    """
    n = len(differences)
    if n == 0:
        return Change(float("nan"), float("nan"), float("nan"), 0, float("nan"))
    total = float(differences.sum())
    size = n + 2
    centre = total / size
    variance = ((float(differences @ differences) + 1) / size - centre**2) / size
    if seed_means is not None and len(seed_means) > 1:
        variance += float(np.var(seed_means, ddof=1)) / len(seed_means)
    error = sqrt(variance)
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    low, high = max(-1.0, centre - z * error), min(1.0, centre + z * error)
    return Change(total / n, low, high, n, (z + _NORMAL.inv_cdf(0.8)) * error)
