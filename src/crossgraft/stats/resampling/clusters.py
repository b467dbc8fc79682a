"""Queries that stand or fall together: the same concept asked in many language pairs is one draw, not many.

The test dictionaries of a study are often translations of one list of words. A word that is rare, or ambiguous, is
hard in every pair, so intervals and tests that take queries of different pairs for independent are too sure of
themselves. Here whole clusters are drawn anew, and whole clusters change sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def drawn_scores(times: Times, rows: Floats, aggregate: Callable[[Floats], Floats]) -> Floats:
    """The scores of cells in every draw, NaN where one has no item: (draws, …).

    ``times`` (draws, items) says how often the cluster of each item is taken, ``rows`` (items, …, k) are statistics whose sums
    ``aggregate`` turns into a score: (…, k) → (…). Cells that are drawn with the same clusters move together. Many
    cells at once cost little more than one.
    """
    flat = rows.reshape(len(rows), -1).astype(np.float32)
    sums = (times @ flat).astype(np.float64).reshape(len(times), *rows.shape[1:])
    return np.asarray(aggregate(sums))


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


def exchanges(
    pairs: Sequence[tuple[Floats, Floats]],
    aggregate: Callable[[Floats], Floats],
    *,
    flips: int,
    rng: np.random.Generator,
) -> float:
    """Two-sided p-value of a mean difference of scores that are not means of items.

    Each pair has the statistics of two methods, (clusters, k) twice, whose sums ``aggregate`` turns into scores. As in
    ``sign_flips`` the names of the methods are exchanged for whole clusters, the same in all pairs; of means with equal weights
    both are the same test.
    """
    halves = [((first + second).sum(axis=0) / 2, (first - second) / 2) for first, second in pairs]

    def differences(signs: Floats) -> Floats:
        moved = [(middle, signs @ half) for middle, half in halves]
        return np.asarray(np.sum([aggregate(middle + by) - aggregate(middle - by) for middle, by in moved], axis=0))

    clusters = len(pairs[0][0])
    observed = abs(float(differences(np.ones((1, clusters)))[0]))
    as_far = 1
    for start in range(0, flips, BLOCK):
        signs = rng.choice(np.array([-1.0, 1.0]), size=(min(BLOCK, flips - start), clusters))
        as_far += int(np.count_nonzero(np.abs(differences(signs)) >= observed - 1e-9))
    return as_far / (flips + 1)


def cluster_sums(rows: Floats, clusters: npt.NDArray[np.integer], count: int) -> Floats:
    """Rows (items, k) summed within their clusters: (count, k)."""
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, clusters, rows)
    return sums
