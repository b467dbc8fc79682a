"""VecMap (Artetxe, Labaka and Agirre, AAAI and ACL 2018): re-weighted mapping, with or without a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs, alike
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.induction import Induced, Schedule, seed_pairs, self_learnt
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.refinement import Refined, verdict
from crossgraft.embeddings.mapping.steps.trace import thinned
from crossgraft.embeddings.mapping.steps.whitening import advanced
from crossgraft.embeddings.spaces.space import Space, Step, Vectors
from crossgraft.errors import SpecError


@MAPPERS.register
@dataclass(frozen=True)
class VecMap:
    """``supervised`` maps by the dictionary. The others learn a larger one among the ``cutoff`` most frequent words, and
    begin with the dictionary (``semi-supervised``), with words that are written the same (``identical``), with numbers
    that are (``numerals``), or with those of the ``seed_cutoff`` most frequent words that are used alike
    (``unsupervised``). Both spaces are mapped, for every pair
    of languages into a space of its own.
    """

    mode: Literal["supervised", "semi-supervised", "identical", "numerals", "unsupervised"] = "supervised"
    cutoff: int = 20_000
    seed_cutoff: int = 4_000
    keep: float = 0.1  # share of candidates that are kept at first
    patience: int = 50  # rounds without progress until it is doubled
    neighbours: int = 10  # of CSLS
    weight: float = 0.5  # exponent of how well the languages agree on an axis

    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center", "unit")

    def __post_init__(self) -> None:
        at_least(2, cutoff=self.cutoff, seed_cutoff=self.seed_cutoff)
        at_least(1, patience=self.patience, neighbours=self.neighbours)
        at_least(0, weight=self.weight)
        if not 0 < self.keep <= 1:
            raise SpecError(f"expected keep above 0 and at most 1; got {self.keep!r}", ("keep",))

    @property
    def uses_dictionary(self) -> bool:
        return self.mode in ("supervised", "semi-supervised")

    @property
    def stochastic(self) -> bool:
        return self.mode != "supervised"

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:
        start = self._start(source, target, pairs)
        first = vectors_of(start, source, target)
        if self.mode == "supervised":
            return replace(advanced(*first, weight=self.weight), facts={"pairs": len(pairs)})
        x, y = source.vectors[: self.cutoff], target.vectors[: self.cutoff]
        schedule = Schedule(self.keep, self.patience, neighbours=self.neighbours)
        induced = self_learnt(x, y, rotation(*first), schedule, rng)
        mapping = advanced(x[induced.pairs[:, 0]], y[induced.pairs[:, 1]], weight=self.weight)
        return replace(mapping, facts={"start": len(start), **_facts(induced, x, y)})

    def _start(self, source: Space, target: Space, pairs: Pairs) -> Pairs:
        if self.mode == "unsupervised":
            cut = slice(self.seed_cutoff)
            return seed_pairs(source.vectors[cut], target.vectors[cut], self.neighbours)
        if self.mode in ("identical", "numerals"):
            return alike(source, target, self.mode)
        return pairs


def _facts(induced: Induced, x: Vectors, y: Vectors) -> dict[str, Any]:
    """What is said of the run; it converged if it stopped on a rotation that passes the criterion."""
    mutual = induced.mutual
    judged = verdict(x, y, Refined(induced.w, mutual, (len(mutual),)))
    return {
        **judged,
        "rounds": len(induced.objectives),
        "objective": thinned(induced.objectives),
        "settled": induced.settled,
        "converged": induced.settled and judged["converged"],
    }
