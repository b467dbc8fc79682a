"""VecMap (Artetxe, Labaka and Agirre, AAAI and ACL 2018): re-weighted mapping, with or without a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping._advanced import advanced
from crossgraft.embeddings.mapping._dictionary import vectors_of
from crossgraft.embeddings.mapping._induction import Schedule, believed, seed_pairs, self_learnt
from crossgraft.embeddings.mapping._settings import at_least
from crossgraft.embeddings.space import Space, Step, unit
from crossgraft.errors import DataError


@MAPPERS.register
@dataclass(frozen=True)
class VecMap:
    """Modes: "supervised" maps by the dictionary; "semi-supervised" begins with it, "identical" with words that are
    written the same, "unsupervised" with words that are used alike, and all three learn the rest themselves, among the
    ``cutoff`` most frequent words. Both spaces are mapped, for every pair of languages into a space of its own.
    """

    mode: Literal["supervised", "semi-supervised", "identical", "unsupervised"] = "supervised"
    cutoff: int = 20_000
    seed_cutoff: int = 4_000
    keep: float = 0.1
    patience: int = 50
    neighbours: int = 10
    weight: float = 0.5

    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center", "unit")

    def __post_init__(self) -> None:
        at_least(2, cutoff=self.cutoff, seed_cutoff=self.seed_cutoff)
        at_least(1, patience=self.patience, neighbours=self.neighbours)
        at_least(0, weight=self.weight)
        at_least(0.01, keep=self.keep)

    @property
    def uses_dictionary(self) -> bool:
        return self.mode in ("supervised", "semi-supervised")

    @property
    def stochastic(self) -> bool:
        return self.mode != "supervised"

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:
        if self.mode == "supervised":
            return replace(
                advanced(*vectors_of(pairs, source, target), weight=self.weight), facts={"pairs": len(pairs)}
            )
        x, y = unit(source.vectors[: self.cutoff]), unit(target.vectors[: self.cutoff])
        schedule = Schedule(self.keep, self.patience, neighbours=self.neighbours)
        found = self_learnt(x, y, self._start(source, target, pairs), schedule, rng)
        mapping = advanced(x[found.pairs[:, 0]], y[found.pairs[:, 1]], weight=self.weight)
        facts = {"rounds": found.rounds, "settled": found.settled, "mutual": len(found.mutual)}
        return replace(mapping, facts={**facts, **believed(x, y, found, schedule, rng)})

    def _start(self, source: Space, target: Space, pairs: Pairs) -> Pairs:
        if self.mode == "unsupervised":
            cut = slice(self.seed_cutoff)
            return seed_pairs(source.vectors[cut], target.vectors[cut], self.neighbours)
        if self.mode == "identical":
            same = [(row, target.index[word]) for row, word in enumerate(source.words) if word in target.index]
            if not same:
                raise DataError("no word is written the same in both vocabularies; vecmap:unsupervised needs none")
            return np.array(same, dtype=np.int64)
        vectors_of(pairs, source, target)  # says so when there are none
        return pairs
