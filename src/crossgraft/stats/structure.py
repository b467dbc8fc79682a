"""What a matrix of changes is made of: rows plus columns, a potential, cycles, blocks.

Rows are sources, columns targets, NaN is missing. Functions that are linear take stacks (..., rows, columns) of which all have the
same cells missing, so that noise goes through them as the estimate does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

_NOTHING = 1e-18  # a sum of squares below it is rounding
_SINGULAR = 1e-9  # of counts: far below what they can have, far above what rounding leaves of a zero


@dataclass(frozen=True, eq=False)
class Additive:
    """μ + d_source + r_target by least squares over the cells that are there; d and r have mean zero."""

    grand: float
    donors: Floats  # (rows,)
    recipients: Floats  # (columns,)
    residual: Floats  # NaN where missing
    r2: float | None  # None where nothing varies
    r2_sources: float | None  # of the model with rows alone
    r2_targets: float | None


def additive(table: Floats) -> Additive:
    """The two-way model; unlike means of rows and columns it stays right when the diagonal is missing."""
    present = ~np.isnan(table)
    design = _design(present)
    coefficients = np.linalg.pinv(design, rcond=_SINGULAR) @ table[present]
    residual = np.full(table.shape, np.nan)
    residual[present] = table[present] - design @ coefficients
    rows, columns = coefficients[: len(table)], coefficients[len(table) :]
    total = float(((table[present] - table[present].mean()) ** 2).sum())

    def share(unexplained: Floats) -> float | None:
        return 1 - float((unexplained**2).sum()) / total if total > _NOTHING else None

    return Additive(
        float(rows.mean() + columns.mean()),
        rows - rows.mean(),
        columns - columns.mean(),
        residual,
        share(residual[present]),
        share(_without_means(table, present)[present]),
        share(_without_means(table.T, present.T)[present.T]),
    )


def _design(present: npt.NDArray[np.bool_]) -> Floats:
    """Which row and which column each present cell is in: (cells, rows + columns)"""
    rows, columns = np.nonzero(present)
    return np.concatenate([np.eye(present.shape[0])[rows], np.eye(present.shape[1])[columns]], axis=1)


def _without_means(table: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Each row less its mean."""
    counts = np.maximum(present.sum(axis=1, keepdims=True), 1)
    return np.asarray(table - np.where(present, table, 0.0).sum(axis=1, keepdims=True) / counts)


@dataclass(frozen=True, eq=False)
class Parts:
    """A square matrix less its mean, over the pairs that have both directions; elsewhere 0. All have the shape of the matrix.

    A − mean = symmetric + gradient + cyclic; the three are orthogonal, so that their energies (sums of squares) add up.
    """

    symmetric: Floats  # what two points give each other alike
    gradient: Floats  # φ_source − φ_target
    cyclic: Floats  # A helps B helps C helps A
    potential: Floats  # φ (..., n), mean zero

    @property
    def energies(self) -> Floats:
        """Of symmetric, gradient and cyclic part: (..., 3)"""
        parts = (self.symmetric, self.gradient, self.cyclic)
        return np.stack([(part**2).sum(axis=(-2, -1)) for part in parts], axis=-1)


def parts(square: Floats) -> Parts:
    """HodgeRank (Jiang, Lim, Yao & Ye, 2011): φ minimises Σ (K_st − (φ_s − φ_t))² over the pairs, K = (A − Aᵀ)/2.

    In the two-way model φ = (d − r)/2: donor less recipient is the potential.
    """
    n = square.shape[-1]
    present = ~np.isnan(square.reshape(-1, n, n)).any(axis=0) & ~np.eye(n, dtype=bool)
    both = present & present.T
    cells = np.where(both, square, 0.0)
    cells = np.where(both, cells - cells.sum(axis=(-2, -1), keepdims=True) / max(1, int(both.sum())), 0.0)
    transposed = np.swapaxes(cells, -1, -2)
    antisymmetric = (cells - transposed) / 2
    laplacian = np.diag(both.sum(axis=1)) - both.astype(np.float64)
    potential = antisymmetric.sum(axis=-1) @ np.linalg.pinv(laplacian, rcond=_SINGULAR, hermitian=True)
    gradient = np.where(both, potential[..., :, None] - potential[..., None, :], 0.0)
    return Parts((cells + transposed) / 2, gradient, antisymmetric - gradient, potential)


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
    residual = np.where(present, additive(table).residual, 0.0)
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
