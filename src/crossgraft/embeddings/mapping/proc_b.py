"""PROC-B (Glavaš et al., 2019): Procrustes, once more with the words that choose each other under the first map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping._dictionary import frequent_first, mutual, vectors_of
from crossgraft.embeddings.mapping._settings import at_least
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.space import Space, Step, Vectors
from crossgraft.errors import SpecError

_LEAST_GROWTH = 1.01  # "growing" ends when the dictionary grows by less


@MAPPERS.register
@dataclass(frozen=True)
class ProcB:
    """Map, find mutual nearest neighbours in the two vocabularies, add the most frequent to the dictionary, map again.

    As the map is orthogonal, the map back is its transpose, so one product finds the neighbours of both sides.

    ``paper``: once; mutual neighbours by cosine follow the dictionary until it has ``limit`` pairs (a pair that is
    already in it counts twice, as in the authors' code).
    ``growing``: the first version of their code; found pairs replace the dictionary, at most ``growth`` times as many
    as before, until it grows by less than 1% or has ``limit`` pairs.
    ``csls``: as ``paper``, with mutual neighbours by CSLS, for up to ``rounds`` or until the pairs stay the same.
    """

    mode: Literal["paper", "growing", "csls"] = "paper"
    limit: int = 10_000  # pairs
    search: int = 0  # the most frequent words of each side that may become pairs; 0 for all
    growth: float = 1.5
    rounds: int = 5  # of csls
    density: int = 10  # neighbours of csls

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = None

    def __post_init__(self) -> None:
        at_least(0, search=self.search)
        at_least(1, limit=self.limit, rounds=self.rounds, density=self.density)
        if not self.growth > _LEAST_GROWTH:
            raise SpecError(f"expected growth above {_LEAST_GROWTH}; got {self.growth!r}", ("growth",))

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        w = rotation(*vectors_of(pairs, source, target))
        sizes, used, ended = [len(pairs)], pairs, False
        while not ended:
            found = frequent_first(self._mutual(source, target, w))
            following = self._following(pairs, used, found)
            if len(following) == 0:  # of "growing": no two words choose each other
                break
            ended = self._ended(used, following, len(sizes))
            used = following
            w = rotation(*vectors_of(used, source, target))
            sizes.append(len(used))
        return Mapping(source=w, facts={"pairs": sizes, "objective": _fit(w, *vectors_of(used, source, target))})

    def _mutual(self, source: Space, target: Space, w: Matrix) -> Pairs:
        size = self.search or None
        mapped = Mapping(source=w).map_source(source.vectors[:size])
        return mutual(mapped, target.vectors[:size], density=self.density if self.mode == "csls" else 0)[0]

    def _following(self, given: Pairs, used: Pairs, found: Pairs) -> Pairs:
        if self.mode == "growing":
            return found[: min(int(self.growth * len(used)), self.limit)]
        return np.concatenate([given, found[: max(self.limit - len(given), 0)]])

    def _ended(self, used: Pairs, following: Pairs, done: int) -> bool:
        if self.mode == "growing":
            return len(following) < _LEAST_GROWTH * len(used) or len(following) >= self.limit
        return self.mode == "paper" or done == self.rounds or np.array_equal(used, following)


def _fit(w: Matrix, x: Vectors, y: Vectors) -> float:
    """The mean squared distance of mapped words to their translations."""
    return float(np.mean(np.sum((x.astype(np.float64) @ w - y) ** 2, axis=1)))
