"""What a record keeps of the course of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_KEPT = 50


def thinned(values: Sequence[float]) -> list[float]:
    """At most 50 of a series, evenly spread, with the first and the last.

    >>> thinned([3.0, 2.0])
    [3.0, 2.0]
    """
    if len(values) <= _KEPT:
        return list(values)
    return [values[place] for place in np.linspace(0, len(values) - 1, _KEPT).round().astype(int)]
