"""The ranks of right words among all target words, by counting what comes before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.retrieval.best import Best, Neighbours
from crossgraft.embeddings.retrieval.device import SIDE, Device, Tile, blocks, product
from crossgraft.embeddings.retrieval.exact import Pairwise, Rows
from crossgraft.embeddings.retrieval.neighbours import joined
from crossgraft.embeddings.spaces.space import Vectors


@dataclass(frozen=True)
class Ranking:
    """Where the right words of each query stand, and what stands first."""

    ranks: Floats  # (queries, most golds), padded with NaN
    nearest: Neighbours  # of each query


def ranking(
    queries: Vectors,  # (n, d), rows of length 1
    targets: Vectors,  # (m, d), rows of length 1
    golds: Sequence[Sequence[int]],  # rows of the right words, for each query
    k: int = 1,
    *,
    penalty: Vectors | None = None,  # (m,), taken off the similarity
    block: int = SIDE,  # queries at a time
    device: Device = "auto",
) -> Ranking:
    """Ranks of the golds and the k nearest targets of each query (0: none), in one pass.

    Rank 1 is the best. Of equally good words the one further up in the vocabulary, which is the more frequent one,
    comes first.
    """
    pairs = Pairwise(queries, targets, penalty)
    slack = pairs.slack()
    scores = product(queries, targets, penalty, device=device)
    wanted = _Golds.of(golds)
    ranks = np.full((len(queries), max(1, wanted.most)), np.nan)
    found = []
    for rows in blocks(len(queries), block):
        counter = _Counter(wanted.within(rows), pairs, slack)
        best = Best(pairs, min(k, len(targets)), slack, rows)
        for column, tile in scores.tiles(rows):
            counter.take(tile, rows.start, column)
            best.take(tile, rows.start, column)
        ranks[counter.golds.query, counter.golds.place] = counter.ranks()
        found.append(best.neighbours())
    return Ranking(ranks, joined(found))


@dataclass(frozen=True)
class _Golds:
    """All golds in a row, those of one query after another."""

    query: Rows
    place: Rows  # among the golds of the query
    column: Rows  # row of the target

    @classmethod
    def of(cls, golds: Sequence[Sequence[int]]) -> _Golds:
        counts = np.array([len(gold) for gold in golds], dtype=np.int64)
        query = np.repeat(np.arange(len(golds)), counts)
        place = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
        return cls(query, place, np.fromiter((row for gold in golds for row in gold), np.int64, len(query)))

    @property
    def most(self) -> int:
        return int(self.place.max(initial=-1)) + 1

    def within(self, rows: slice) -> _Golds:
        """Those of some queries: first golds first, so that all queries of a block can be compared in place."""
        start, stop = np.searchsorted(self.query, [rows.start, rows.stop])
        order = start + np.argsort(self.place[start:stop] > 0, kind="stable")
        return _Golds(self.query[order], self.place[order], self.column[order])


class _Counter:
    """How many targets stand before each gold; what float32 cannot tell apart waits until the end."""

    def __init__(self, golds: _Golds, pairs: Pairwise, slack: float) -> None:
        self.golds = golds
        self._pairs = pairs
        self._scores = pairs.scores(golds.query, golds.column)
        self._low = np.nextafter((self._scores - slack).astype(np.float32), np.float32(-np.inf))
        self._high = np.nextafter((self._scores + slack).astype(np.float32), np.float32(np.inf))
        self._before = np.zeros(len(golds.query), dtype=np.int64)
        self._open: list[tuple[Rows, Rows]] = []  # golds, columns

    def take(self, tile: Tile, row: int, column: int) -> None:
        firsts = int(np.count_nonzero(self.golds.place == 0))
        for part in (slice(0, firsts), slice(firsts, len(self._before))):
            if part.start < part.stop:
                self._compare(tile, part, self.golds.query[part] - row, column)

    def _compare(self, tile: Tile, part: slice, rows: Rows, column: int) -> None:
        low, high = self._low[part], self._high[part]
        in_place = rows[-1] == len(rows) - 1 and part.start == 0  # every query has a gold
        over, not_under = (tile.above(slice(0, len(rows)) if in_place else rows, floor) for floor in (high, low))
        self._before[part] += over
        near = np.flatnonzero(not_under > over)
        if len(near):
            which, columns = tile.between(rows[near], low[near], high[near])
            self._open.append((near[which] + part.start, columns + column))

    def ranks(self) -> Floats:
        """1 and how many are better, or as good and further up."""
        if not self._open:
            return np.asarray(1.0 + self._before)
        golds, columns = (np.concatenate(parts) for parts in zip(*self._open, strict=True))
        scores, own = self._pairs.scores(self.golds.query[golds], columns), self._scores[golds]
        wins = (scores > own) | ((scores == own) & (columns < self.golds.column[golds]))
        return np.asarray(1.0 + self._before + np.bincount(golds[wins], minlength=len(self._before)))
