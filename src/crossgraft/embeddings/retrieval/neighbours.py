"""The most similar rows of one matrix for each row of another, both ways in one pass over the product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.space import Vectors

BLOCK = 1024  # rows of the product at a time
_CHUNK = 64  # columns of which only the largest is looked at first

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Neighbours:
    """For each row the most similar rows of the other side, best first; of equals the one further up comes first."""

    rows: Rows  # (n, k)
    similarity: Vectors  # (n, k), less the penalty where one was given

    @property
    def mean(self) -> Vectors:
        """The mean similarity to the k nearest: CSLS' density of the neighbourhood. (n,)"""
        return np.asarray(self.similarity.mean(axis=1))


def nearest(
    queries: Vectors,  # (n, d), rows of length 1
    targets: Vectors,  # (m, d), rows of length 1
    k: int = 1,
    *,
    penalty: Vectors | None = None,  # (m,), taken off the similarity
    block: int = BLOCK,
) -> Neighbours:
    """The k nearest targets of each query; fewer when there are fewer targets."""
    k = min(k, len(targets))
    rows = np.empty((len(queries), k), dtype=np.int64)
    best = np.empty((len(queries), k), dtype=np.float32)
    for start in range(0, len(queries), block):
        scores = queries[start : start + block] @ targets.T
        if penalty is not None:
            scores -= penalty
        rows[start : start + block], best[start : start + block] = _largest(scores, k)
    return Neighbours(rows, best)


def top_means(queries: Vectors, targets: Vectors, k: int = 10, *, block: int = BLOCK) -> Vectors:
    """The mean similarity of each query to its k nearest targets: r(x) of CSLS. (n,)"""
    return nearest(queries, targets, k, block=block).mean


def both_ways(x: Vectors, y: Vectors, k: int = 1, *, block: int = BLOCK) -> tuple[Neighbours, Neighbours]:
    """The k nearest rows of y for each of x, and of x for each of y, from one product."""
    forward = Neighbours(
        np.empty((len(x), min(k, len(y))), dtype=np.int64), np.empty((len(x), min(k, len(y))), dtype=np.float32)
    )
    width = min(k, len(x))
    rows = np.zeros((len(y), 0), dtype=np.int64)
    best = np.zeros((len(y), 0), dtype=np.float32)
    for start in range(0, len(x), block):
        scores = x[start : start + block] @ y.T
        forward.rows[start : start + block], forward.similarity[start : start + block] = _largest(
            scores, forward.rows.shape[1]
        )
        found, values = _largest(np.ascontiguousarray(scores.T), min(width, len(scores)))
        rows, best = _merged(rows, best, found + start, values, width)
    return forward, Neighbours(rows, best)


def _largest(scores: Vectors, k: int) -> tuple[Rows, Vectors]:
    """Columns and values of the k largest of each row, best first, of equals the first column."""
    if k == 1:
        rows = scores.argmax(axis=1)[:, None]
        return rows, np.take_along_axis(scores, rows, axis=1)
    found = np.sort(_candidates(scores, k), axis=1)
    values = np.take_along_axis(scores, found, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)


def _candidates(scores: Vectors, k: int) -> Rows:
    """Columns among which the k largest of each row are: those of the k chunks with the largest maxima.

    A chunk is every so-many-th column, so that maxima of all chunks are taken by whole rows of the machine's registers.
    """
    chunks = scores.shape[1] // _CHUNK
    if chunks < 2 * k:
        return _partitioned(scores, k)
    whole = chunks * _CHUNK
    maxima = scores[:, :whole].reshape(len(scores), _CHUNK, chunks).max(axis=1)
    best = _partitioned(maxima, k)  # (rows, k) chunks
    columns = (best[:, :, None] + chunks * np.arange(_CHUNK)).reshape(len(scores), -1)
    rest = np.broadcast_to(np.arange(whole, scores.shape[1]), (len(scores), scores.shape[1] - whole))
    columns = np.concatenate([columns, rest], axis=1)
    inner = _partitioned(np.take_along_axis(scores, columns, axis=1), k)
    return np.take_along_axis(columns, inner, axis=1)


def _partitioned(scores: Vectors, k: int) -> Rows:
    """Columns of the k largest of each row, in no order."""
    return np.asarray(np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :])


def _merged(rows: Rows, best: Vectors, more: Rows, values: Vectors, k: int) -> tuple[Rows, Vectors]:
    """The k largest of two sorted lists of candidates; the ones that are there stand further up."""
    rows, best = np.concatenate([rows, more], axis=1), np.concatenate([best, values], axis=1)
    order = np.argsort(-best, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(best, order, axis=1)
