"""Cross-domain similarity local scaling (Conneau et al., 2018): cosine less the density around both words.

CSLS(x, y) = 2 cos(x, y) - r_T(x) - r_S(y), with r_S(y) the mean cosine of y to its k nearest source words, and r_T(x)
likewise. For one query r_T(x) is a constant, so that cos(x, y) - r_S(y) / 2 gives the same order.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.best import Neighbours
from crossgraft.embeddings.retrieval.device import Device
from crossgraft.embeddings.retrieval.exact import Pairwise, Rows
from crossgraft.embeddings.retrieval.neighbours import nearest, top_means
from crossgraft.embeddings.space import Vectors
from crossgraft.errors import DataError

_POOL = 4096  # of the most frequent source words, which bound the density from below
_DEPTH = 32  # candidates of a query at a time


def csls_penalty(sources: Vectors, targets: Vectors, k: int = 10, *, device: Device = "auto") -> Vectors:
    """r_S / 2 of every target: half its mean cosine to the k nearest sources. Rows have length 1. (m,)"""
    if k > len(sources):
        raise DataError(
            f"CSLS takes the mean of the {k} nearest source words, but there are only {len(sources)}; "
            "take a smaller k or a larger vocabulary"
        )
    return np.asarray(top_means(targets, sources, k, device=device) / 2, dtype=np.float32)


def csls_nearest(
    rows: Rows,  # of the sources: the queries
    sources: Vectors,  # (n, d), rows of length 1: the whole source vocabulary, mapped
    targets: Vectors,  # (m, d), rows of length 1
    k: int = 10,
    *,
    device: Device = "auto",
) -> Neighbours:
    """The best target of each query by CSLS, the same as with every density, of which it takes few.

    The density r_S of a target among some of the source words is at most that among all, so it bounds the score from
    above. Densities are made exact only for targets that are the best so far of some query, until the best of each
    query is exact.
    """
    pool = np.union1d(rows, np.arange(max(k, min(_POOL, len(sources)))))
    penalty = csls_penalty(sources[pool[pool < len(sources)]], targets, k, device=device)
    exact = np.zeros(len(targets), dtype=bool)
    queries = sources[rows]
    best = Neighbours(np.empty((len(rows), 1), dtype=np.int64), np.empty((len(rows), 1), dtype=np.float32))
    open_ = np.arange(len(rows))
    while len(open_):
        found = nearest(queries[open_], targets, _DEPTH, penalty=penalty, device=device)
        cosine = _cosines(queries[open_], targets, found)
        bound, last = cosine[:, -1] - penalty[found.rows[:, -1]], found.rows[:, -1]
        while True:
            scores = cosine - penalty[found.rows]
            place = _first_best(scores, found.rows)
            top = np.take_along_axis(found.rows, place, axis=1)[:, 0]
            missing = np.unique(top[~exact[top]])
            if not len(missing):
                break
            penalty[missing] = csls_penalty(sources, targets[missing], k, device=device)
            exact[missing] = True
        score = np.take_along_axis(scores, place, axis=1)[:, 0]
        whole = found.rows.shape[1] == len(targets)  # no target is outside the list
        done = whole | (score > bound) | ((score == bound) & (top <= last))
        best.rows[open_[done], 0], best.similarity[open_[done], 0] = top[done], score[done]
        open_ = open_[~done]
    return best


def _cosines(queries: Vectors, targets: Vectors, found: Neighbours) -> Floats:
    """Of all pairs found, in float64."""
    query = np.repeat(np.arange(len(queries)), found.rows.shape[1])
    return np.asarray(Pairwise(queries, targets).scores(query, found.rows.ravel()).reshape(found.rows.shape))


def _first_best(scores: Floats, rows: Rows) -> Rows:
    """The place of the largest score, of equals that with the first row. (n, 1)"""
    largest = scores.max(axis=1, keepdims=True)
    return np.asarray(np.where(scores == largest, rows, np.iinfo(np.int64).max).argmin(axis=1)[:, None])
