"""Queries that stand or fall together: the same concept asked in many language pairs is one draw, not many.

The test dictionaries of a study are often translations of one list of words. A word that is rare, or ambiguous, is
hard in every pair, so intervals and tests that take queries of different pairs for independent are too sure of
themselves. Here whole clusters are drawn anew, and whole clusters change sides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

BLOCK = 256  # draws at a time, for memory


def cluster_draws(sums: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """The mean of every cell in every draw of clusters: (draws, cells).

    ``sums`` (cells, clusters, 2) are sums of values and of weights within a cluster, zero where a cell lacks it. A
    draw takes as many clusters as there are, with replacement, the same ones for all cells.
    """
    cells, clusters, _ = sums.shape
    flat = np.ascontiguousarray(sums.transpose(1, 0, 2)).reshape(clusters, cells * 2)
    drawn = np.empty((draws, cells))
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        times = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=size).astype(np.float64)
        total = (times @ flat).reshape(size, cells, 2)
        with np.errstate(invalid="ignore"):  # a cell of few clusters may have none in a draw
            drawn[start : start + size] = total[..., 0] / total[..., 1]
    return drawn


def sign_flips(differences: Floats, *, flips: int, rng: np.random.Generator) -> Floats:
    """Two-sided p-values of sums of paired differences, one a comparison: (comparisons,).

    ``differences`` (clusters, comparisons) are summed within clusters. If two methods are equally good, the names of
    the two could be exchanged for any cluster, which flips its sign; p is the share of random flips, the identity
    among them, whose sum is as far from zero (Fisher, 1935; Phipson and Smyth, 2010, for the identity).
    """
    observed = np.abs(differences.sum(axis=0))
    moving = differences[np.any(differences != 0, axis=1)]
    least = observed - 1e-9 * np.abs(moving).sum(axis=0)  # sums in another order differ in their last digits
    as_far = np.ones(differences.shape[1])
    for start in range(0, flips, BLOCK):
        size = min(BLOCK, flips - start)
        signs = 2.0 * rng.integers(0, 2, size=(size, len(moving)), dtype=np.int8) - 1
        as_far += np.count_nonzero(np.abs(signs @ moving) >= least, axis=0)
    return np.asarray(as_far / (flips + 1))


def cluster_sums(rows: Floats, clusters: npt.NDArray[np.integer], count: int) -> Floats:
    """Rows (items, k) summed within their clusters: (count, k)."""
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, clusters, rows)
    return sums
