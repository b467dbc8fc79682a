"""The best targets by CSLS, exactly, without the densities of most targets.

The density of a target among some of the source words is at most that among all of them, so it bounds every score from
above. Densities are made exact only for targets that are the best so far of some query, until all the best are exact.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.best import Neighbours
from crossgraft.embeddings.retrieval.csls import csls_penalty
from crossgraft.embeddings.retrieval.device import Device, blocks, group_size, product
from crossgraft.embeddings.retrieval.exact import Pairwise, Rows
from crossgraft.embeddings.retrieval.neighbours import nearest
from crossgraft.embeddings.spaces.space import Vectors

_POOL = 2048  # of the most frequent source words are among those that bound the densities
_DEPTH = 32  # candidates of a query at a time


def csls_nearest(
    queries: Vectors,  # (n, d), rows of length 1
    sources: Vectors,  # (s, d), rows of length 1: the whole source vocabulary, mapped
    targets: Vectors,  # (m, d), rows of length 1
    k: int = 10,
    *,
    count: int = 1,
    crowd: Rows | None = None,
    device: Device = "auto",
) -> Neighbours:
    """The ``count`` best targets of each query: the same as ``nearest`` with ``csls_penalty`` of k neighbours.

    ``crowd`` are rows of sources that make the bounds tighter: best those of the queries.
    """
    pool = np.arange(min(_POOL, len(sources)))
    penalty = _at_most(sources[pool if crowd is None else np.union1d(pool, crowd)], targets, k, device=device)
    exact = np.zeros(len(targets), dtype=bool)
    shape = len(queries), min(count, len(targets))
    best = Neighbours(np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32))
    left = np.arange(len(queries))
    while len(left):
        asked = queries[left]
        neighbours = nearest(asked, targets, max(_DEPTH, 2 * count), penalty=penalty, device=device)
        cosine = _cosines(asked, targets, neighbours)
        bound, last = (
            cosine[:, -1] - penalty[neighbours.rows[:, -1]],
            neighbours.rows[:, -1],
        )  # of all that are not in the list
        while True:
            top, score = _best(cosine - penalty[neighbours.rows], neighbours.rows, count)
            wanted = np.unique(top[~exact[top]])
            if not len(wanted):
                break
            penalty[wanted] = csls_penalty(sources, targets[wanted], k, device=device)
            exact[wanted] = True
        lowest = score[:, -1]
        done = (
            (neighbours.rows.shape[1] == len(targets)) | (lowest > bound) | ((lowest == bound) & (top[:, -1] <= last))
        )
        best.rows[left[done]], best.similarity[left[done]] = top[done], score[done]
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
            both = np.concatenate([largest[rows], tile.maxima(group_size(tile.columns, k))], axis=1)
            largest[rows] = np.partition(both, -k, axis=1)[:, -k:]
    return np.asarray((largest.mean(axis=1) - 2 * slack) / 2, dtype=np.float32)


def _cosines(queries: Vectors, targets: Vectors, neighbours: Neighbours) -> Floats:
    """Of all pairs found, in float64."""
    query = np.repeat(np.arange(len(queries)), neighbours.rows.shape[1])
    return np.asarray(Pairwise(queries, targets).scores(query, neighbours.rows.ravel()).reshape(neighbours.rows.shape))


def _best(scores: Floats, rows: Rows, count: int) -> tuple[Rows, Floats]:
    """The rows with the largest scores, best first, of equals the smaller row, and the scores. (n, count)"""
    places = np.lexsort((rows, -scores), axis=1)[:, :count]
    return np.take_along_axis(rows, places, axis=1), np.take_along_axis(scores, places, axis=1)
