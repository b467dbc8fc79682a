"""A shared space in which the source side stays as it is, where the mapping allows it."""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.mapping import Mapping, Matrix

_CLOSE = 1e-4  # how far wᵀw may be from the identity in any entry


def anchored(mapping: Mapping) -> Mapping:
    """The same shared space, turned back so that an orthogonal map of the source becomes none.

    With an orthogonal ``w``, the cosines and distances of (x w, z) are those of (x, z wᵀ). What has learnt from x then serves
    every such mapping and every target language, so that methods are compared with one model and not with models of
    different luck. A map that is not orthogonal, such as that of RCSLS, stays.
    """
    if mapping.source is None or not _is_orthogonal(mapping.source):
        return mapping
    back = mapping.source.T
    return Mapping(None, back if mapping.target is None else mapping.target @ back, mapping.facts)


def _is_orthogonal(w: Matrix) -> bool:
    if w.shape[0] != w.shape[1]:
        return False
    return bool(np.allclose(w.T.astype(np.float64) @ w, np.eye(len(w)), rtol=0, atol=_CLOSE))
