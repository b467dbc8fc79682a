"""The best candidates of every word of both languages, of each as many as it asks for, from one product of the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.spaces.space import Vectors

Rows = npt.NDArray[np.int64]

_BLOCK = 256  # rows of the product at a time: a multiple of either size of groups
_GROUP, _SMALL_GROUP = 64, 8  # rows of which one maximum is kept
_SMALL = 4096  # words from which on the groups are the larger ones
_ROUNDING = 1e-5  # how far two float32 products of the same unit vectors may be apart


@dataclass(frozen=True)
class Candidates:
    """Those of one word after those of another, best first; of equal float32 products the one further up comes first."""

    start: Rows  # (n,), where a word's own begin
    row: Rows  # of the other language
    similarity: Vectors

    @property
    def first(self) -> Vectors:
        """The similarity of every word to its best. (n,)"""
        return self.similarity[self.start]

    @property
    def mean(self) -> Vectors:
        """The mean similarity of every word to all its candidates. (n,)"""
        sums = np.add.reduceat(self.similarity, self.start)
        return np.asarray(sums / np.diff(self.start, append=len(self.row)), dtype=np.float32)

    def at(self, place: Rows) -> Rows:
        """The row of each word's candidate in a place, counted from 0. (n,)"""
        return np.asarray(self.row[self.start + place])


def candidates(x: Vectors, y: Vectors, of_x: Rows, of_y: Rows) -> tuple[Candidates, Candidates]:
    """As many rows of y for each row of x as ``of_x`` says, and of x for each of y; at least 1, at most all.

    The k best lie in the k groups with the largest maxima. The product is made in blocks, which leave the maxima of all
    groups; then every group is multiplied once more with the words that want to look into it, which are few. Where few
    words are in large groups, there are fewer groups than candidates wanted, and all of them would be looked into.
    """
    size = _GROUP if min(len(x), len(y)) >= _SMALL else _SMALL_GROUP
    groups_x, groups_y = (-(-len(side) // size) for side in (x, y))
    for_x = np.empty((len(x), groups_y), dtype=np.float32)
    for_y = np.empty((groups_x, len(y)), dtype=np.float32)
    scores = np.full((_BLOCK, size * groups_y), -np.inf, dtype=np.float32)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        np.matmul(block, y.T, out=scores[: len(block), : len(y)])
        scores[len(block) :] = -np.inf
        for_x[start : start + _BLOCK] = scores.reshape(_BLOCK, size, groups_y).max(axis=1)[: len(block)]
        first = start // size
        tall = scores.reshape(_BLOCK // size, size, -1).max(axis=1)[: groups_x - first, : len(y)]
        for_y[first : first + len(tall)] = tall
    return (
        _looked_up(x, y, for_x, of_x, [slice(group, None, groups_y) for group in range(groups_y)]),
        _looked_up(y, x, for_y.T, of_y, [slice(size * g, size * (g + 1)) for g in range(groups_x)]),
    )


def _looked_up(queries: Vectors, targets: Vectors, maxima: Vectors, wanted: Rows, groups: list[slice]) -> Candidates:
    """The wanted number of targets for each query, given the maxima (queries, groups) of groups of targets."""
    rows = np.arange(len(queries))
    floor = np.sort(maxima, axis=1)[rows, np.maximum(len(groups) - wanted, 0)] - np.float32(_ROUNDING)
    floor[wanted > len(groups)] = -np.inf
    numbers = np.arange(len(targets))
    found: list[tuple[Rows, Rows, Vectors]] = []  # queries, targets, similarities
    for group, members in enumerate(groups):
        asking = np.flatnonzero(maxima[:, group] >= floor)
        values = queries[asking] @ targets[members].T
        which, member = np.nonzero(values >= floor[asking, None])
        found.append((asking[which], numbers[members][member], values[which, member]))
    query, target, value = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((target, -value, query))
    query = query[order]
    kept = np.arange(len(query)) - np.searchsorted(query, rows)[query] < wanted[query]
    order = order[kept]
    return Candidates(np.searchsorted(query[kept], rows), target[order], value[order])
