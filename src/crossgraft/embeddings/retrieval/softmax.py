"""Inverted softmax (Smith et al., 2017): a target is worth less, the more it resembles all source words.

p(y | x) ∝ exp(β cos(x, y)) / Σ_x' exp(β cos(x', y)); its logarithm over β is cos(x, y) less a penalty of y.
"""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.retrieval.device import SIDE, Device, blocks, product
from crossgraft.embeddings.spaces.space import Vectors


def softmax_penalty(
    sources: Vectors,  # (n, d), rows of length 1
    targets: Vectors,  # (m, d), rows of length 1
    beta: float = 30.0,
    *,
    block: int = SIDE,
    device: Device = "auto",
) -> Vectors:
    """log Σ exp(β cos(x', y)) / β of every target, over all sources. (m,)"""
    totals = np.full(len(targets), -np.inf)
    scores = product(targets, sources, device=device)
    for rows in blocks(len(targets), block):
        for _, tile in scores.tiles(rows):
            totals[rows] = np.logaddexp(totals[rows], tile.log_sum_exp(beta))
    return np.asarray(totals / beta, dtype=np.float32)
