"""ICP (Hoshen and Wolf, 2018): iterative closest points from many starts in few dimensions, without a dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping._dictionary import less
from crossgraft.embeddings.mapping._refinement import refined, verdict
from crossgraft.embeddings.mapping._settings import at_least
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.retrieval import both_ways
from crossgraft.embeddings.space import Space, Step, Vectors, unit


@MAPPERS.register
@dataclass(frozen=True)
class ICP:
    """Frequent words of both languages, in their first principal components, are matched to the nearest ones both ways
    and moved onto them, in turns; the start that ends with the smallest distances is refined on ``words`` and then
    ``more_words`` in all dimensions, by mutual neighbours.

    Differences to the paper: the two maps are one rotation and its transpose, so its cycle loss is zero and each epoch
    is solved exactly (Procrustes on the matches of both ways) where the authors take steps of Adam. Principal components
    have no sign; the authors' starts differ by what random projections make of that, ours say it: the first has the
    third moment of every component positive, in the others every sign is turned at random with probability ``turned``.
    An epoch without new matches ends a start. The refinement is by mutual neighbours from the beginning.
    """

    words: int = 5000
    components: int = 25
    restarts: int = 100
    epochs: int = 100  # of a start, at most
    turned: float = 0.25
    more_words: int = 7500
    rounds: int = 50  # of either refinement, at most

    uses_dictionary: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True
    normalise: ClassVar[tuple[Step, ...] | None] = None

    def __post_init__(self) -> None:
        at_least(1, words=self.words, components=self.components, restarts=self.restarts, epochs=self.epochs)
        at_least(1, more_words=self.more_words, rounds=self.rounds)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - without a dictionary
        x, y = source.vectors[: self.words], target.vectors[: self.words]
        few_x, few_y = principal(x, self.components), principal(y, self.components)
        ends = [self._closest(few_x * signs, few_y) for signs in self._starts(few_x.shape[1], rng)]
        matches, distance = min(ends, key=lambda end: end[1])
        found = refined(x, y, rotation(x[matches[:, 0]], y[matches[:, 1]]), self.rounds)
        x, y = source.vectors[: self.more_words], target.vectors[: self.more_words]
        found = refined(x, y, found.w, self.rounds)
        return Mapping(source=found.w, facts={**verdict(x, y, found), "distance": distance})

    def _starts(self, width: int, rng: np.random.Generator) -> list[Vectors]:
        turned = rng.random((self.restarts - 1, width)) < self.turned
        return [np.ones(width, dtype=np.float32), *np.where(turned, -1, 1).astype(np.float32)]

    def _closest(self, x: Vectors, y: Vectors) -> tuple[Pairs, float]:
        """The matches of both ways when they no longer change, and their mean squared distance."""
        w: Matrix = np.eye(x.shape[1])
        matches, distance = np.empty((0, 2), dtype=np.int64), np.inf
        for _ in range(self.epochs):
            found, distance = closest(Mapping(source=w).map_source(x), y)
            if np.array_equal(found, matches):
                break
            matches, w = found, rotation(x[found[:, 0]], y[found[:, 1]])
        return matches, distance


def closest(x: Vectors, y: Vectors) -> tuple[Pairs, float]:
    """Each row of x with the nearest of y, then of y with the nearest of x; and the mean squared distance."""
    of_x, of_y = (np.square(rows).sum(axis=1) / 2 for rows in (x, y))
    forward, backward = both_ways(*less(x, y, of_x, of_y))  # x·y - x²/2 - y²/2 is minus half the squared distance
    there = np.stack([np.arange(len(x)), forward.rows[:, 0]], axis=1)
    back = np.stack([backward.rows[:, 0], np.arange(len(y))], axis=1)
    distance = -2 * float(np.concatenate([forward.similarity, backward.similarity]).mean())
    return np.concatenate([there, back]), distance


def principal(vectors: Vectors, components: int) -> Vectors:
    """The first principal components of rows made standard (their mean 0, length 1), third moments positive."""
    rows = unit(vectors - vectors.mean(axis=1, keepdims=True))
    rows = rows - rows.mean(axis=0)
    _, directions = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    found = rows @ directions[:, ::-1][:, :components].astype(np.float32)
    return np.asarray(found * np.where((found**3).sum(axis=0) < 0, -1, 1).astype(np.float32))
