"""PROC-B (Glavaš et al., 2019): Procrustes, once more with the words that choose each other under the first map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import frequent_first, mutual, vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.spaces.space import Space, Step, Vectors
from crossgraft.errors import SpecError

_LEAST_GROWTH = 1.01  # "growing" ends when the dictionary grows by less
_MANY = 1000  # rounds in which a dictionary that grows by 1% each has grown 20,000 times


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
        used, sizes, settled = pairs, [len(pairs)], False
        w = rotation(*vectors_of(pairs, source, target))
        for _ in range({"paper": 1, "growing": _MANY, "csls": self.rounds}[self.mode]):
            found = frequent_first(self._mutual(source, target, w))
            before, used = used, self._following(pairs, used, found)
            w = rotation(*vectors_of(used, source, target))
            sizes.append(len(used))
            settled = self._settled(before, used)
            if settled:
                break
        facts = {"pairs": sizes, "objective": _distance(w, *vectors_of(used, source, target))}
        return Mapping(source=w, facts=facts if self.mode == "paper" else {**facts, "converged": settled})

    def _mutual(self, source: Space, target: Space, w: Matrix) -> Pairs:
        x, y = source.vectors[: self.search or None], target.vectors[: self.search or None]
        density = self.density if self.mode == "csls" else 0
        return mutual(Mapping(source=w).map_source(x), y, density=density)[0]  # not named, so that it can be let go

    def _following(self, given: Pairs, used: Pairs, pairs: Pairs) -> Pairs:
        if self.mode == "growing":
            return pairs[: min(max(int(self.growth * len(used)), 1), self.limit)]
        return np.concatenate([given, pairs[: max(self.limit - len(given), 0)]])

    def _settled(self, before: Pairs, used: Pairs) -> bool:
        if self.mode == "growing":
            return len(used) < _LEAST_GROWTH * len(before) or len(used) >= self.limit
        return np.array_equal(before, used)


def _distance(w: Matrix, x: Vectors, y: Vectors) -> float:
    """The mean squared distance of mapped words to their translations."""
    return float(np.mean(np.sum((x.astype(np.float64) @ w - y) ** 2, axis=1)))
