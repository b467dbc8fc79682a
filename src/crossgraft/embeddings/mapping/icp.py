"""ICP (Hoshen and Wolf, 2018): iterative closest points from many starts in few dimensions, without a dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import less
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.refinement import Refined, refined, verdict
from crossgraft.embeddings.retrieval import both_ways
from crossgraft.embeddings.spaces.space import Space, Step, Vectors, unit
from crossgraft.errors import SpecError

_FIRST_EPOCHS = 10  # after which starts are compared


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
    A word's own mean coordinate stays in it, since what that is depends on how the space happens to be turned.
    After ten epochs only the best tenth of the starts goes on; an epoch without new matches ends a start. The refinement
    is by mutual neighbours from the beginning.
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
        if not 0 <= self.turned <= 1:
            raise SpecError(f"expected turned from 0 to 1; got {self.turned!r}", ("turned",))

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - without a dictionary
        x, y = source.vectors[: self.words], target.vectors[: self.words]
        matches, distance = self._best_start(principal(x, self.components), principal(y, self.components), rng)
        first = refined(x, y, rotation(x[matches[:, 0]], y[matches[:, 1]]), self.rounds)
        x, y = source.vectors[: self.more_words], target.vectors[: self.more_words]
        last = refined(x, y, first.w, self.rounds)
        found = Refined(last.w, last.pairs, first.sizes + last.sizes)
        return Mapping(source=found.w, facts={**verdict(x, y, found), "distance": distance})

    def _best_start(self, x: Vectors, y: Vectors, rng: np.random.Generator) -> tuple[Pairs, float]:
        """The matches with the smallest mean squared distance; only the best tenth of the starts is followed to its end."""
        turned = rng.random((self.restarts, x.shape[1])) < self.turned
        turned[0] = False
        begun = [closest_points(x, y, np.diag(signs), _FIRST_EPOCHS) for signs in np.where(turned, -1.0, 1.0)]
        begun.sort(key=lambda start: start[1])
        ends = [
            closest_points(x, y, rotation(x[matches[:, 0]], y[matches[:, 1]]), self.epochs)
            for matches, _ in begun[: max(self.restarts // 10, 1)]
        ]
        return min(ends, key=lambda end: end[1])


def closest_points(x: Vectors, y: Vectors, w: Matrix, epochs: int) -> tuple[Pairs, float]:
    """Matching both ways and Procrustes in turns until the matches stay the same; the matches, and their distance."""
    matches, distance = closest(Mapping(source=w).map_source(x), y)
    for _ in range(epochs - 1):
        w = rotation(x[matches[:, 0]], y[matches[:, 1]])
        found, distance = closest(Mapping(source=w).map_source(x), y)
        if np.array_equal(found, matches):
            break
        matches = found
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
    """The first principal components of centred unit vectors, with third moments that are positive. (n, components)"""
    rows = unit(vectors)
    rows = rows - rows.mean(axis=0)
    _, directions = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    found = rows @ directions[:, ::-1][:, :components].astype(np.float32)
    return np.asarray(found * np.where((found**3).sum(axis=0) < 0, -1, 1).astype(np.float32))
