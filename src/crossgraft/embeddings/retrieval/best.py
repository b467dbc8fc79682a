"""The k best columns of each row of a product, gathered from its tiles.

The k largest values lie in the k groups of columns with the largest maxima, so a row is looked at only where the
maximum of a group reaches the k-th largest maximum so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.device import Tile, group_size
from crossgraft.embeddings.retrieval.exact import Pairwise, Rows
from crossgraft.embeddings.spaces.space import Vectors

_LOWEST = np.finfo(np.float32).min
_ROOM = 2_000_000  # candidates that may always wait


@dataclass(frozen=True)
class Neighbours:
    """For each row the best columns, best first; of equals the one further up comes first."""

    rows: Rows  # (n, k)
    similarity: Vectors  # (n, k), less the penalty where one was given

    @property
    def mean(self) -> Vectors:
        """The mean similarity to the k nearest: CSLS' density of the neighbourhood. (n,)"""
        return np.asarray(self.similarity.mean(axis=1))


class Best:
    """What is known after some tiles; it changes with each, for it stands for a whole pass over a product."""

    def __init__(self, pairs: Pairwise, k: int, slack: float, rows: slice) -> None:
        self._pairs = pairs
        self._k = k
        self._first = rows.start
        self._margin = np.float32(2 * slack)
        self._maxima = np.full((rows.stop - rows.start, k), _LOWEST, dtype=np.float32)  # the smallest of them first
        self._waiting: list[tuple[Rows, Rows, Vectors]] = []  # rows, columns, values
        self._size = 0

    def take(self, tile: Tile, row: int, column: int) -> None:
        """Look at the tile whose first row and column are these."""
        if not self._k:
            return
        group = group_size(tile.columns, self._k)
        maxima = tile.maxima(group)
        known = self._maxima[row - self._first : row - self._first + len(maxima)]
        hit = np.flatnonzero(maxima.max(axis=1) >= known[:, 0] - self._margin)
        here = maxima[hit]
        largest = np.partition(np.concatenate([known[hit], here], axis=1), -self._k, axis=1)[:, -self._k :]
        known[hit] = largest
        floor = largest[:, 0] - self._margin
        which, number = np.nonzero(here >= floor[:, None])
        at, columns, values = tile.members(hit[which], number, floor[which], group)
        self._waiting.append((hit[which[at]] + (row - self._first), columns + column, values))
        self._size += len(at)
        if self._size > max(_ROOM, 4 * self._maxima.size):
            rows, columns, _ = self._settle()
            self._waiting = [(rows, columns, self._pairs.scores(rows + self._first, columns).astype(np.float32))]
            self._size = len(rows)

    def neighbours(self) -> Neighbours:
        if not self._k or not len(self._maxima):
            shape = (len(self._maxima), self._k)
            return Neighbours(np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32))
        _, columns, scores = self._settle()
        shape = (-1, self._k)
        return Neighbours(columns.reshape(shape), scores.astype(np.float32).reshape(shape))

    def _settle(self) -> tuple[Rows, Rows, Floats]:
        """The k best candidates of each row, in float64 and in their order."""
        rows, columns, values = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        still = values >= self._maxima[rows, 0] - self._margin
        rows, columns = rows[still], columns[still]
        scores = self._pairs.scores(rows + self._first, columns)
        order = np.lexsort((columns, -scores, rows))
        rows = rows[order]
        place = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = order[place < self._k]
        return rows[place < self._k], columns[kept], scores[kept]
