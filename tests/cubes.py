"""Variance components of a complete table in closed form: models × sources × targets, no cell missing.

Mean squares solved for components (Henderson, 1953; the ANOVA estimates). Where none is negative they are the REML
estimates. Each is unbiased as it is: negative ones are kept, so that means over draws stay right; a reader is shown 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from crossgraft.core import Floats
from crossgraft.errors import DataError

Axes = tuple[int, ...]


def cube_components(y: Floats, axes: int = 3) -> Mapping[Axes, Floats]:
    """The component of every set of axes; (…, a, b, c) gives arrays (…).

    Keys are axes counted from the left: (0,) is the first axis alone, (0, 2) the interaction of first and third. The
    key with every axis is what is left over. Axes of one level have no effects and are in no key. With MS_U the mean
    square of U, n_U the cells averaged in an effect of U: γ_U = Σ_{V ⊇ U} (-1)^{|V|-|U|} MS_V / n_U.

    >>> found = cube_components(np.array([[1.0, 2.0], [3.0, 4.0]]), axes=2)
    >>> {key: float(value) for key, value in found.items()}
    {(0,): 2.0, (1,): 0.5, (0, 1): 0.0}
    """
    if not np.isfinite(y).all():
        raise DataError("the closed form needs every cell of the table; fit the cells there are by REML instead")
    shape = y.shape[y.ndim - axes :]
    varied = [axis for axis in range(axes) if shape[axis] > 1]
    keys = [key for count in range(1, len(varied) + 1) for key in combinations(varied, count)]
    squares = {key: _mean_square(y, key, axes) for key in keys}
    return {
        key: np.asarray(
            sum((-1.0) ** (len(other) - len(key)) * squares[other] for other in keys if set(key) <= set(other))
            / _averaged(shape, key)
        )
        for key in keys
    }


def _mean_square(y: Floats, key: Axes, axes: int) -> Floats:
    first = y.ndim - axes
    effects = y.mean(axis=tuple(first + axis for axis in range(axes) if axis not in key), keepdims=True)
    for axis in key:
        effects = effects - effects.mean(axis=first + axis, keepdims=True)
    shape = y.shape[first:]
    freedom = np.prod([shape[axis] - 1 for axis in key])
    return np.asarray(np.square(effects).sum(axis=tuple(range(first, y.ndim))) * _averaged(shape, key) / freedom)


def _averaged(shape: tuple[int, ...], key: Axes) -> float:
    return float(np.prod([size for axis, size in enumerate(shape) if axis not in key]))
