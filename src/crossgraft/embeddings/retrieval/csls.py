"""Cross-domain similarity local scaling (Conneau et al., 2018): cosine less the density around both words.

CSLS(x, y) = 2 cos(x, y) - r_T(x) - r_S(y), with r_S(y) the mean cosine of y to its k nearest source words, and r_T(x)
likewise. For one query r_T(x) is a constant, so that cos(x, y) - r_S(y) / 2 gives the same order.
"""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.retrieval.device import Device
from crossgraft.embeddings.retrieval.neighbours import top_means
from crossgraft.embeddings.spaces.space import Vectors
from crossgraft.errors import DataError


def csls_penalty(sources: Vectors, targets: Vectors, k: int = 10, *, device: Device = "auto") -> Vectors:
    """r_S / 2 of every target: half its mean cosine to the k nearest sources. Rows have length 1. (m,)"""
    require_neighbours(k, len(sources))
    return np.asarray(top_means(targets, sources, k, device=device) / 2, dtype=np.float32)


def require_neighbours(k: int, words: int, side: str = "source") -> None:
    """Raise where there are fewer words than the mean is taken of."""
    if k > words:
        raise DataError(
            f"CSLS takes the mean of the {k} nearest {side} words, but there are only {words}; "
            "take a smaller k, a larger vocabulary, or plain nearest neighbours (nn)"
        )
