"""VecMap's mapping of both spaces: whiten, rotate, re-weight, undo the whitening (Artetxe et al., AAAI 2018)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.space import Vectors

_Double = npt.NDArray[np.float64]
_ROUNDING = 1e-5  # singular values below this share of the largest are rounding of float32 vectors


def advanced(x: Vectors, y: Vectors, *, weight: float = 0.5) -> Mapping:
    """Both maps from a dictionary's vectors, one pair a row.

    With ``cx = (xᵀx)^-½`` and likewise cy, ``cx xᵀy cy = p s qᵀ``. x goes by ``cx p`` into whitened, common axes, where the
    s are how well the languages agree on each; axes are weighted by ``s^weight`` on both sides; then ``pᵀ cx⁻¹ p`` gives x back
    the shape it had. Directions in which the dictionary says nothing are left out of the whitening.
    """
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    (cx, cx_back), (cy, cy_back) = _whitening(x64), _whitening(y64)
    p, s, qt = np.linalg.svd(cx @ (x64.T @ y64) @ cy)
    weights = s**weight
    source = cx @ (p * weights) @ (p.T @ cx_back @ p)
    target = cy @ (qt.T * weights) @ (qt @ cy_back @ qt.T)
    return Mapping(source=source, target=target)


def _whitening(x: _Double) -> tuple[_Double, _Double]:
    """``(xᵀx)^-½`` and its inverse, both symmetric."""
    _, s, vt = np.linalg.svd(x, full_matrices=False)
    kept = s > s.max(initial=0) * _ROUNDING
    s, vt = s[kept], vt[kept]
    return vt.T @ (vt / s[:, None]), vt.T @ (vt * s[:, None])
