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
    cells, items, _ = treated.shape
    units = items if groups is None else int(groups.max()) + 1
    change = np.empty((draws, cells))
    rows, which = _distinct(np.concatenate([treated, control]))
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        drawn = rng.multinomial(units, np.full(units, 1 / units), size=size).astype(np.float64)
        weights = drawn if groups is None else drawn[:, groups]
        sums = (weights @ rows.T)[:, which]  # (size, treated and control cells, k)
        change[start : start + size] = aggregate(sums[:, :cells]) - aggregate(sums[:, cells:])
    return change


def _distinct(statistics: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """The different rows (rows, items) of statistics (cells, items, k), and which of them each cell and statistic is.

    The cells of a column have the same control, and often all cells the same counts: they are summed once.
    """
    flat = np.ascontiguousarray(statistics.transpose(0, 2, 1)).reshape(-1, statistics.shape[1])
    first: dict[bytes, int] = {}
    which = np.array([first.setdefault(row.tobytes(), len(first)) for row in flat], dtype=np.intp)
    chosen = np.unique(which, return_index=True)[1]
    return flat[chosen], which.reshape(statistics.shape[0], statistics.shape[2])
