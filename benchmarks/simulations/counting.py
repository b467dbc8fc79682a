"""How simulations count: a mean over independent repetitions with its Monte-Carlo error, one line a number."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt


def line(name: str, values: Sequence[float] | npt.NDArray[np.floating], promised: str = "") -> None:
    """``values`` are one number a repetition; cells of one grid are no repetitions and must be averaged before."""
    numbers = np.asarray(values, dtype=float)
    error = float(numbers.std(ddof=1)) / sqrt(len(numbers)) or 1 / len(numbers)  # all alike: one more could differ
    said = f"  (promised {promised})" if promised else ""
    print(f"  {name:58} {numbers.mean():7.3f} ± {error:.3f}{said}", flush=True)


def inside(low: npt.ArrayLike, truth: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """The share of intervals that hold what is true."""
    return float(np.mean((np.asarray(low) <= np.asarray(truth)) & (np.asarray(truth) <= np.asarray(high))))
