"""The strongest pattern of a matrix that its rows and columns do not explain.

Rows are sources, columns targets, NaN is missing. ``centred`` takes stacks (..., rows, columns) of which all have the same cells
missing, so that noise goes through it as the estimate does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

_NOTHING = 1e-18  # a sum of squares below it is rounding
_SINGULAR = 1e-9  # of counts: far below what they can have, far above what rounding leaves of a zero


@dataclass(frozen=True, eq=False)
class Blocks:
    """The strongest pattern of the residual: sources ``left`` that move targets ``right`` more than rows and columns say."""

    share: float  # of the residual's sum of squares
    left: Floats  # (rows,) unit length, largest entry of ``right`` positive
    right: Floats  # (columns,)
    shuffled: float  # as many shuffles of residuals among cells as asked for have a smaller share
    p: float  # how often a shuffle has as much


def leading_blocks(
    table: Floats, rng: np.random.Generator, *, shuffles: int = 200, below: float = 0.95
) -> Blocks | None:
    """The leading singular vectors of the double-centred matrix; None where rows and columns explain all of it."""
    present = ~np.isnan(table)
    residual = centred(np.where(present, table, 0.0), present)
    if float((residual**2).sum()) < _NOTHING:
        return None
    u, s, vt = np.linalg.svd(residual, full_matrices=False)
    share = float(s[0] ** 2 / (s**2).sum())
    sign = np.sign(vt[0, np.argmax(np.abs(vt[0]))])
    values = residual[present]
    mixed = np.zeros((shuffles, *table.shape))
    mixed[:, present] = rng.permuted(np.broadcast_to(values, (shuffles, len(values))), axis=1)
    drawn = leading_shares(centred(mixed, present))
    p = (1 + int((drawn >= share).sum())) / (1 + shuffles)
    return Blocks(share, sign * u[:, 0], sign * vt[0], float(np.quantile(drawn, below)), p)


def centred(stack: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """What rows and columns leave of each matrix (..., rows, columns), 0 where a cell is missing."""
    design = _design(present)
    values = stack[..., present]
    found = np.zeros(stack.shape)
    found[..., present] = values - (values @ np.linalg.pinv(design, rcond=_SINGULAR).T) @ design.T
    return found


def leading_shares(residuals: Floats) -> Floats:
    """The share of the largest singular value, squared, of each matrix; 0 where nothing is left."""
    squares = np.linalg.svd(residuals, compute_uv=False) ** 2
    total = squares.sum(axis=-1)
    return np.where(total > _NOTHING, squares[..., 0] / np.maximum(total, _NOTHING), 0.0)


def _design(present: npt.NDArray[np.bool_]) -> Floats:
    """Which row and which column each present cell is in: (cells, rows + columns)"""
    rows, columns = np.nonzero(present)
    return np.concatenate([np.eye(present.shape[0])[rows], np.eye(present.shape[1])[columns]], axis=1)
