"""DLV (Ruder et al., 2018): Procrustes and a matching in turns, so that no word is the translation of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.retrieval import Neighbours, nearest
from crossgraft.embeddings.spaces.space import Space, Step, unit


@MAPPERS.register
@dataclass(frozen=True)
class DLV:
    """The dictionary is a latent one-to-one matching, begun from the given one: given the map, find the likeliest
    matching; given the matching, the map; until the mean cosine of words to their nearest rises by less than
    ``threshold``.

    Each source word may be matched with one of its most similar target words, the ``candidates``, or stay alone; the
    matching has the largest sum of cosines, so nobody is matched below cosine 0.
    """

    search: int = 40_000  # the most frequent words of each side that are matched
    candidates: int = 3
    threshold: float = 1e-6
    rounds: int = 50  # at most

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center")

    def __post_init__(self) -> None:
        at_least(1, search=self.search, candidates=self.candidates, rounds=self.rounds)
        at_least(0, threshold=self.threshold)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        x, y = source.vectors[: self.search], unit(target.vectors[: self.search])
        w = rotation(*vectors_of(pairs, source, target))
        sizes, objective = [len(pairs)], -np.inf
        for _ in range(self.rounds):
            neighbours = nearest(unit(Mapping(source=w).map_source(x)), y, self.candidates)
            before, objective = objective, float(neighbours.similarity[:, 0].mean())
            if objective - before < self.threshold:
                break
            matched = matching(neighbours, len(y))
            if len(matched) == 0:  # every word is on the far side of every other
                break
            w = rotation(*vectors_of(matched, source, target))
            sizes.append(len(matched))
        converged = len(sizes) <= self.rounds
        return Mapping(source=w, facts={"pairs": sizes, "objective": objective, "converged": converged})


def matching(candidates: Neighbours, targets: int) -> Pairs:
    """The one-to-one pairs of largest total similarity among the candidates of each row; rows may stay alone.

    SciPy's solver (Jonker and Volgenant, 1987) wants a partner for every row, so each row also has one of its own, at
    similarity 0. Costs are 2 - similarity, since the solver takes zeros for missing.
    """
    n, k = candidates.rows.shape
    columns = np.hstack([candidates.rows, targets + np.arange(n)[:, None]])
    costs = 2.0 - np.hstack([candidates.similarity, np.zeros((n, 1), dtype=np.float32)])
    edges = csr_array(
        (costs.ravel(), columns.ravel(), np.arange(n + 1) * (k + 1)),
        shape=(n, targets + n),
    )
    rows, chosen = min_weight_full_bipartite_matching(edges)
    pairs = np.stack([rows, chosen], axis=1).astype(np.int64)
    return np.asarray(pairs[chosen < targets])
