"""A square matrix taken apart: what two points give each other alike, who gives more than it takes, and cycles (HodgeRank)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats

_SINGULAR = 1e-9  # of counts: far below what they can have, far above what rounding leaves of a zero


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
