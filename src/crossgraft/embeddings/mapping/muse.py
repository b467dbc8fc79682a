"""MUSE (Conneau et al., 2018): a mapping by adversarial training or by a dictionary, refined on mutual nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs, alike
from crossgraft.embeddings.mapping import LATER, MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.adversarial import AdversarialSettings, AdversarialTraining
from crossgraft.embeddings.mapping.steps.dictionary import mutual, vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.refinement import Refined, verdict
from crossgraft.embeddings.mapping.steps.trace import thinned
from crossgraft.embeddings.retrieval import nearest, top_means
from crossgraft.embeddings.spaces.space import Space, Step, Vectors, unit
from crossgraft.errors import JobFailed

_SLOWEST = 1e-6  # rate below which nothing is learnt


@MAPPERS.register
@dataclass(frozen=True)
class MUSE:
    """The map comes from adversarial training without a dictionary (``unsupervised``), or is Procrustes' by the dictionary
    (``supervised``) or by words, or numbers, that are written the same (``identical``, ``numerals``).

    An epoch of adversarial training is ``samples`` words of the source out of the ``frequent`` ones. Its rate is that of the one before times
    ``decay``, and half of it after each fall of the criterion but the first. The criterion is the mean cosine of the
    ``judged`` most frequent words to their translations by CSLS. The map with which it was highest is refined:
    mutual neighbours by CSLS among the ``paired`` most frequent words, Procrustes, and again.

    Adversarial training often fails, and differs by seed: run several seeds. On a CPU an epoch of the default size takes hours. The
    other modes need no torch, and keep the map that they begin with where no refinement is better by the criterion.
    """

    mode: Literal["unsupervised", "supervised", "identical", "numerals"] = field(default="unsupervised", metadata=LATER)
    epochs: int = 5
    samples: int = 1_000_000
    frequent: int = 75_000
    rate: float = 0.1
    decay: float = 0.98
    refinements: int = 5
    paired: int = 15_000
    judged: int = 10_000
    neighbours: int = 10  # of CSLS
    game: AdversarialSettings = field(default_factory=AdversarialSettings)

    normalise: ClassVar[tuple[Step, ...] | None] = None

    def __post_init__(self) -> None:
        at_least(1, epochs=self.epochs, samples=self.samples, frequent=self.frequent, refinements=self.refinements)
        at_least(1, paired=self.paired, judged=self.judged, neighbours=self.neighbours)
        at_least(_SLOWEST, rate=self.rate, decay=self.decay)

    @property
    def uses_dictionary(self) -> bool:
        return self.mode == "supervised"

    @property
    def stochastic(self) -> bool:
        return self.mode == "unsupervised"

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:
        x, y = source.vectors[: self.frequent], target.vectors[: self.frequent]
        if self.mode == "unsupervised":
            w, learnt = self._adversarial(x, y, rng)
            found, refined = self._refined(w, x, y)
            facts = {**self._verdict(x, y, found), "adversarial": thinned(learnt)}
            return Mapping(source=found.w, facts={**facts, "objective": thinned(refined)})
        start = pairs if self.mode == "supervised" else alike(source, target, self.mode)
        found, refined = self._refined(rotation(*vectors_of(start, source, target)), x, y, start)
        facts = {"pairs": list(found.sizes)} if self.uses_dictionary else self._verdict(x, y, found)
        return Mapping(source=found.w, facts={**facts, "objective": thinned(refined)})

    def _verdict(self, x: Vectors, y: Vectors, refined: Refined) -> dict[str, Any]:
        return verdict(x[: self.paired], y[: self.paired], refined)

    def _adversarial(self, x: Vectors, y: Vectors, rng: np.random.Generator) -> tuple[Matrix, list[float]]:
        """The best map by the criterion, and the criterion after each epoch."""
        training = AdversarialTraining(x, y, self.game, rng)
        best, found, rate, falls = training.w, list[float](), self.rate, 0
        for _ in range(self.epochs):
            if rate < _SLOWEST:
                break
            training.train(max(1, self.samples // self.game.batch), rate)
            if not np.isfinite(training.w).all():
                raise JobFailed(f"muse diverged with a rate of {self.rate}; set a smaller one", deterministic=True)
            found.append(self.criterion(training.w, x, y))
            rate *= self.decay
            if found[-1] == max(found):
                best = training.w
            else:
                falls += 1
                rate /= 2 if falls > 1 else 1
        return best, found

    def _refined(self, w: Matrix, x: Vectors, y: Vectors, start: Pairs | None = None) -> tuple[Refined, list[float]]:
        """The best rotation by the criterion, and the criterion after each round; the one that a dictionary gave counts."""
        found, sizes = list[float](), list[int]()
        if start is not None:
            best, pairs = w, start
            found.append(self.criterion(w, x, y))
            sizes.append(len(start))
        for _ in range(self.refinements):
            near, _ = mutual(Mapping(source=w).map_source(x[: self.paired]), y[: self.paired], density=self.neighbours)
            w = rotation(x[near[:, 0]], y[near[:, 1]])
            found.append(self.criterion(w, x, y))
            sizes.append(len(near))
            if found[-1] == max(found):
                best, pairs = w, near
        return Refined(best, pairs, tuple(sizes)), found

    def criterion(self, w: Matrix, x: Vectors, y: Vectors) -> float:
        """The mean cosine of frequent words to their translations by CSLS, in [-1, 1]; no dictionary is looked at."""
        mapped, y = unit(Mapping(source=w).map_source(x)), unit(y)
        penalty = top_means(y, mapped, self.neighbours) / np.float32(2)
        chosen = nearest(mapped[: self.judged], y, penalty=penalty).rows[:, 0]
        return float(np.einsum("ij,ij->i", mapped[: self.judged], y[chosen]).mean())
