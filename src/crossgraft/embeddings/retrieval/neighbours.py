"""The most similar rows of one matrix for each row of another, both ways in one pass over the product."""

from __future__ import annotations

import numpy as np

from crossgraft.embeddings.retrieval.best import Best, Neighbours
from crossgraft.embeddings.retrieval.device import SIDE, Device, blocks, product
from crossgraft.embeddings.retrieval.exact import Pairwise
from crossgraft.embeddings.spaces.space import Vectors


def nearest(
    queries: Vectors,  # (n, d), rows of length 1
    targets: Vectors,  # (m, d), rows of length 1
    k: int = 1,
    *,
    penalty: Vectors | None = None,  # (m,), taken off the similarity
    block: int = SIDE,  # queries at a time
    device: Device = "auto",
) -> Neighbours:
    """The k nearest targets of each query; fewer when there are fewer targets."""
    pairs = Pairwise(queries, targets, penalty)
    slack = pairs.slack()
    scores = product(queries, targets, penalty, device=device)
    found = []
    for rows in blocks(len(queries), block):
        best = Best(pairs, min(k, len(targets)), slack, rows)
        for column, tile in scores.tiles(rows):
            best.take(tile, rows.start, column)
        found.append(best.neighbours())
    return joined(found)


def top_means(
    queries: Vectors, targets: Vectors, k: int = 10, *, block: int = SIDE, device: Device = "auto"
) -> Vectors:
    """The mean similarity of each query to its k nearest targets: r(x) of CSLS. (n,)"""
    return nearest(queries, targets, k, block=block, device=device).mean


def both_ways(
    x: Vectors, y: Vectors, k: int = 1, *, block: int = SIDE, device: Device = "auto"
) -> tuple[Neighbours, Neighbours]:
    """The k nearest rows of y for each of x, and of x for each of y, from one product."""
    pairs = Pairwise(x, y)
    slack = pairs.slack()
    scores = product(x, y, device=device)
    forward = []
    backward = Best(pairs.swapped(), min(k, len(x)), slack, slice(0, len(y)))
    for rows in blocks(len(x), block):
        best = Best(pairs, min(k, len(y)), slack, rows)
        for column, tile in scores.tiles(rows):
            best.take(tile, rows.start, column)
            backward.take(tile.transposed(), column, rows.start)
        forward.append(best.neighbours())
    return joined(forward), backward.neighbours()


def joined(parts: list[Neighbours]) -> Neighbours:
    """Neighbours of consecutive rows as one."""
    return Neighbours(
        np.concatenate([part.rows for part in parts]), np.concatenate([part.similarity for part in parts])
    )
