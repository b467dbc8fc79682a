"""Gromov–Wasserstein (Alvarez-Melis and Jaakkola, 2018): couple words so that distances within languages agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.refinement import Refined, refined, verdict
from crossgraft.embeddings.mapping.steps.sinkhorn import Doubles, sinkhorn
from crossgraft.embeddings.spaces.space import Space, Step, Vectors, unit
from crossgraft.errors import SpecError

_FIRST_EPSILON = 0.05
_ROUNDS_BEFORE = 5  # at each larger ε
_SINKHORN_ROUNDS = 100  # within a round; the next goes on where it ended
_SETTLED = 1e-4  # a coupling, whose entries sum to 1, that changes by less is settled


@MAPPERS.register
@dataclass(frozen=True)
class GromovWasserstein:
    """Minimise ``½ Σ (a_ik - b_jl)² t_ij t_kl - ε · entropy(t)`` over couplings t of the most frequent words, where a and
    b are the cosine distances within either language over their mean; then Procrustes on the words that are each
    other's largest entry of t. The mode ``refined`` goes on with mutual neighbours and Procrustes in turns, on more
    words, as ICP does.

    Each round is a transport whose cost is the gradient of the first term at the last coupling (Peyré et al., 2016).
    Few rounds each at larger ε, halved until it is ``epsilon``, come first; the authors begin at ``epsilon``. A round
    costs n³ steps; memory is about ten matrices of n² numbers of 8 bytes, 320 MB at 2,000 words.
    """

    mode: Literal["paper", "refined"] = "paper"
    words: int = 2000
    epsilon: float = 5e-4
    rounds: int = 50  # at the last ε, at most
    tolerance: float = 1e-8  # of the coupling's marginals, which sum to 1
    more_words: int = 7500  # of refined
    refinements: int = 50  # of refined, at most

    uses_dictionary: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center", "unit")

    def __post_init__(self) -> None:
        at_least(2, words=self.words)
        at_least(1, rounds=self.rounds, more_words=self.more_words, refinements=self.refinements)
        for name in ("epsilon", "tolerance"):
            if not getattr(self, name) > 0:
                raise SpecError(f"expected {name} above 0; got {getattr(self, name)!r}", (name,))

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - needs neither
        x, y = source.vectors[: self.words], target.vectors[: self.words]
        coupling, settled = self._couple(distances(x), distances(y))
        rows = mutual_largest(coupling)
        found = Refined(rotation(x[rows[:, 0]], y[rows[:, 1]]), rows, (len(rows),))
        if self.mode == "refined":
            x, y = source.vectors[: self.more_words], target.vectors[: self.more_words]
            further = refined(x, y, found.w, self.refinements)
            found = Refined(further.w, further.pairs, found.sizes + further.sizes)
        return Mapping(source=found.w, facts={**verdict(x, y, found), "settled": settled})

    def _couple(self, a: Doubles, b: Doubles) -> tuple[Doubles, bool]:
        """The coupling of all words, and whether the last round left it as it was."""
        p, q = np.full(len(a), 1 / len(a)), np.full(len(b), 1 / len(b))
        coupling, g = np.outer(p, q), np.zeros(len(b))
        for epsilon in (*_halved(_FIRST_EPSILON, self.epsilon), self.epsilon):
            for _ in range(self.rounds if epsilon == self.epsilon else _ROUNDS_BEFORE):
                plan = sinkhorn(
                    cost(a, b, coupling), p, q, epsilon, g, rounds=_SINKHORN_ROUNDS, tolerance=self.tolerance
                )
                change = np.abs(plan.coupling - coupling).sum()
                coupling, g = plan.coupling, plan.g
                if change < _SETTLED:
                    break
        return coupling, bool(change < _SETTLED)


def cost(a: Doubles, b: Doubles, coupling: Doubles) -> Doubles:
    """``Σ_kl (a_ik - b_jl)² t_kl``: what it costs to couple i and j when the others are coupled by t. (n, m)"""
    p, q = coupling.sum(axis=1), coupling.sum(axis=0)
    return np.asarray((a**2 @ p)[:, None] + b**2 @ q - 2 * a @ coupling @ b.T)


def distances(vectors: Vectors) -> Doubles:
    """Cosine distances within a space, over their mean. (n, n)"""
    rows = unit(vectors).astype(np.float64)
    found = np.maximum(1 - rows @ rows.T, 0)
    return np.asarray(found / (found.mean() or 1))


def mutual_largest(coupling: Doubles) -> Pairs:
    """Rows and columns that are each other's largest entry, in the order of rows."""
    chosen = coupling.argmax(axis=1)
    rows = np.flatnonzero(coupling.argmax(axis=0)[chosen] == np.arange(len(coupling)))
    return np.stack([rows, chosen[rows]], axis=1)


def _halved(first: float, last: float) -> Iterator[float]:
    while first > last:
        yield first
        first /= 2
