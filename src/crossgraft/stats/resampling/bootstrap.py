"""Resampling items jointly: one draw of items serves every cell that has them.

Parallel items (the same item in many languages) are right or wrong together, so an interval for
a mean over cells that resamples each cell on its own is too narrow (Miller, 2024). Here an item
that is drawn twice counts twice in every cell of its block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

BLOCK = 256  # draws at a time, for memory


def joint_item_bootstrap(
    treated: Floats,  # (cells, items, k) sufficient statistics; zero rows for items a cell lacks
    control: Floats,  # (cells, items, k)
    aggregate: Callable[[Floats], Floats],
    *,
    draws: int,
    rng: np.random.Generator,
    groups: npt.NDArray[np.integer] | None = None,  # (items,) labels from 0 on: what is drawn together
) -> Floats:
    """The change of every cell in every draw: (draws, cells)."""
    cells, items, width = treated.shape
    units = items if groups is None else int(groups.max()) + 1
    change = np.empty((draws, cells))
    flat_treated = treated.transpose(1, 0, 2).reshape(items, cells * width)
    flat_control = control.transpose(1, 0, 2).reshape(items, cells * width)
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        drawn = rng.multinomial(units, np.full(units, 1 / units), size=size).astype(np.float64)
        weights = drawn if groups is None else drawn[:, groups]
        after = aggregate((weights @ flat_treated).reshape(size, cells, width))
        before = aggregate((weights @ flat_control).reshape(size, cells, width))
        change[start : start + size] = after - before
    return change
