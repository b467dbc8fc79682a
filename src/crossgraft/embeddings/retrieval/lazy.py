"""The best target by CSLS, exactly, without the densities of most targets.

The density of a target among some of the source words is at most that among all of them, so it bounds every score from
above. Densities are made exact only for targets that are the best so far of some query, until all the best are exact.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.best import Neighbours
from crossgraft.embeddings.retrieval.csls import csls_penalty
from crossgraft.embeddings.retrieval.device import Device, blocks, product
from crossgraft.embeddings.retrieval.exact import Pairwise, Rows
from crossgraft.embeddings.retrieval.neighbours import nearest
from crossgraft.embeddings.space import Vectors

_POOL = 2048  # of the most frequent source words are among those that bound the densities
_DEPTH = 32  # candidates of a query at a time


def csls_nearest(
    rows: Rows,  # of the sources: the queries
    sources: Vectors,  # (n, d), rows of length 1: the whole source vocabulary, mapped
    targets: Vectors,  # (m, d), rows of length 1
    k: int = 10,
    *,
    device: Device = "auto",
) -> Neighbours:
    """The best target of each query: the same as ``nearest`` with ``csls_penalty``. (queries, 1)"""
    pool = np.union1d(rows, np.arange(min(_POOL, len(sources))))
    penalty = _at_most(sources[pool], targets, k, device=device)
    exact = np.zeros(len(targets), dtype=bool)
    best = Neighbours(np.empty((len(rows), 1), dtype=np.int64), np.empty((len(rows), 1), dtype=np.float32))
    left = np.arange(len(rows))
    while len(left):
        queries = sources[rows[left]]
        found = nearest(queries, targets, _DEPTH, penalty=penalty, device=device)
        cosine = _cosines(queries, targets, found)
        bound, last = cosine[:, -1] - penalty[found.rows[:, -1]], found.rows[:, -1]  # of all that are not in the list
        while True:
            top, score = _first_best(cosine - penalty[found.rows], found.rows)
            wanted = np.unique(top[~exact[top]])
            if not len(wanted):
                break
            penalty[wanted] = csls_penalty(sources, targets[wanted], k, device=device)
            exact[wanted] = True
        whole = found.rows.shape[1] == len(targets)
        done = whole | (score > bound) | ((score == bound) & (top <= last))
        best.rows[left[done], 0], best.similarity[left[done], 0] = top[done], score[done]
        left = left[~done]
    return best


def _at_most(some: Vectors, targets: Vectors, k: int, *, device: Device) -> Vectors:
    """A penalty no larger than that of CSLS, from some of the sources. (m,)

    The maxima of k different groups are k different cosines; where there are fewer groups, -1 is less than any.
    """
    slack = Pairwise(targets, some).slack()
    scores = product(targets, some, device=device)
    largest = np.full((len(targets), k), -1, dtype=np.float32)
    for rows in blocks(len(targets)):
        for _, tile in scores.tiles(rows):
            both = np.concatenate([largest[rows], tile.maxima()], axis=1)
            largest[rows] = np.partition(both, -k, axis=1)[:, -k:]
    return np.asarray((largest.mean(axis=1) - 2 * slack) / 2, dtype=np.float32)


def _cosines(queries: Vectors, targets: Vectors, found: Neighbours) -> Floats:
    """Of all pairs found, in float64."""
    query = np.repeat(np.arange(len(queries)), found.rows.shape[1])
    return np.asarray(Pairwise(queries, targets).scores(query, found.rows.ravel()).reshape(found.rows.shape))


def _first_best(scores: Floats, rows: Rows) -> tuple[Rows, Floats]:
    """The row with the largest score, of equals the first one, and the score."""
    largest = scores.max(axis=1)
    return np.where(scores == largest[:, None], rows, np.iinfo(np.int64).max).min(axis=1), largest
