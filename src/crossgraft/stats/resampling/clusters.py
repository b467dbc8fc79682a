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


Times = npt.NDArray[np.float32]  # (draws, clusters or items); whole numbers, float32 for memory and for products


def cluster_times(clusters: int, *, draws: int, rng: np.random.Generator) -> Times:
    """How often each cluster is taken, in draws of as many clusters as there are: (draws, clusters)."""
    times = np.empty((draws, clusters), dtype=np.float32)
    for draw in times:
        draw[:] = np.bincount(rng.integers(clusters, size=clusters), minlength=clusters)
    return times


def drawn_means(times: Times, rows: Floats) -> Floats:
    """The means of cells in every draw, NaN where one has no item: (draws, …).

    ``times`` (draws, items) says how often the cluster of each item is taken, ``rows`` (items, …, 2) are values and
    weights. Cells that are drawn with the same clusters move together. Many cells at once cost little more than one.
    """
    flat = rows.reshape(len(rows), -1).astype(np.float32)
    sums = (times @ flat).astype(np.float64).reshape(len(times), *rows.shape[1:])
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


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
