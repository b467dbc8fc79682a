"""Nearest-neighbour retrieval by cosine: the rank of each right word among all target words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.space import Vectors, unit

BLOCK = 512  # queries at a time, for memory


def gold_ranks(
    queries: Vectors,  # (queries, d), in the shared space
    targets: Vectors,  # (words, d)
    golds: Sequence[Sequence[int]],  # rows of the right words, for each query
    *,
    penalty: Vectors | None = None,  # (words,), taken off the cosine
    block: int = BLOCK,
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Ranks (queries, most golds), padded with NaN, and the row of each query's nearest word.

    Rank 1 is the most similar. Of equally similar words the one further up in the vocabulary,
    which is the more frequent one, comes first.
    """
    width = max((len(rows) for rows in golds), default=0)
    ranks = np.full((len(queries), max(width, 1)), np.nan)
    nearest = np.empty(len(queries), dtype=np.int64)
    queries, targets = unit(queries), unit(targets)
    for start in range(0, len(queries), block):
        similarity = queries[start : start + block] @ targets.T
        if penalty is not None:
            similarity -= penalty
        nearest[start : start + block] = similarity.argmax(axis=1)
        for offset, row in enumerate(similarity):
            for place, gold in enumerate(golds[start + offset]):
                ranks[start + offset, place] = 1 + np.sum(row > row[gold]) + np.sum(row[:gold] == row[gold])
    return ranks, nearest
