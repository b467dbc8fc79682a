"""What methods do with dictionaries: take their vectors, find words that choose each other, order by frequency."""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.retrieval import both_ways
from crossgraft.embeddings.spaces.space import Space, Vectors, unit
from crossgraft.errors import DataError


def vectors_of(pairs: Pairs, source: Space, target: Space) -> tuple[Vectors, Vectors]:
    """The vectors of a dictionary's words, one pair a row: x and y, each (n, d)."""
    if len(pairs) == 0:
        raise DataError("no dictionary entry is in both vocabularies")
    return source.vectors[pairs[:, 0]], target.vectors[pairs[:, 1]]


def mutual(x: Vectors, y: Vectors, *, density: int = 0) -> tuple[Pairs, Vectors]:
    """Rows of x and y that are each other's nearest by cosine, in the order of x, and how similar they are.

    With a ``density`` of k they are nearest by CSLS (Conneau et al., 2018), halved: cosine less half the mean cosine
    of either to its k nearest on the other side. It is the same seen from both sides, so one product serves both.
    """
    x, y = unit(x), unit(y)
    if density:
        from_x, from_y = both_ways(x, y, density)
        half = np.float32(0.5)
        x, y = less(x, y, half * from_x.mean, half * from_y.mean)
    forward, backward = both_ways(x, y)
    chosen = forward.rows[:, 0]
    rows = np.flatnonzero(backward.rows[chosen, 0] == np.arange(len(x)))
    return np.stack([rows, chosen[rows]], axis=1), forward.similarity[rows, 0]


def less(x: Vectors, y: Vectors, of_x: Vectors, of_y: Vectors) -> tuple[Vectors, Vectors]:
    """Rows with two more columns, so that their product is x·y - of_x - of_y."""
    ones = np.ones((max(len(x), len(y)), 1), dtype=np.float32)
    return np.hstack([x, -of_x[:, None], -ones[: len(x)]]), np.hstack([y, ones[: len(y)], of_y[:, None]])


def frequent_first(pairs: Pairs) -> Pairs:
    """In order of the sum of both frequency ranks; rows of a space are in order of frequency."""
    return pairs[np.argsort(pairs.sum(axis=1), kind="stable")]
