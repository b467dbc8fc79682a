"""C1 (Li et al., 2022): VecMap's mapping of both spaces, made to tell translations from the words near to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping.steps.contrastive import Descent, descended
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.trace import thinned
from crossgraft.embeddings.mapping.steps.whitening import advanced
from crossgraft.embeddings.retrieval import both_ways, nearest
from crossgraft.embeddings.spaces.space import Space, Step, Vectors, unit

_OF_MODE = ("rounds", "steps", "rate", "decay", "negatives", "mined", "search")
_AUTHORS = MappingProxyType(  # for dictionaries of 5,000 and of 1,000 pairs
    {"supervised": (2, 200, 1.5, 0.99, 150, 10_000, 60_000), "semi-supervised": (3, 50, 2.0, 1.0, 60, 6_000, 20_000)}
)


@MAPPERS.register
@dataclass(frozen=True)
class C1:
    """A round starts from VecMap's supervised mapping and descends on a contrastive loss. Before each round but the
    first, every language's ``search`` most frequent words are translated by CSLS with the last round's maps, and the
    ``mined`` best pairs of either direction, of words that are not in the dictionary, are added to it: in ``supervised``
    for the start of the round only, in ``semi-supervised``, which is for about 1,000 pairs or less, for its loss too.

    A setting of 0 is the authors' for the mode. Their first stage only; the second needs a multilingual language model.
    """

    mode: Literal["supervised", "semi-supervised"] = "supervised"
    rounds: int = 0
    steps: int = 0  # a round
    rate: float = 0
    decay: float = 0  # of the rate, a step
    clip: float = 0.15  # length of the longest gradient
    negatives: int = 0  # words of each language, for each pair
    frequent: int = 60_000  # words that may be negatives
    mined: int = 0  # pairs of each direction
    search: int = 0
    neighbours: int = 10  # of CSLS

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = ("unit",)

    def __post_init__(self) -> None:
        for name, value in zip(_OF_MODE, _AUTHORS[self.mode], strict=True):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, value)
        at_least(1, rounds=self.rounds, steps=self.steps, negatives=self.negatives, frequent=self.frequent)
        at_least(1, mined=self.mined, search=self.search, neighbours=self.neighbours)
        at_least(0, rate=self.rate, decay=self.decay, clip=self.clip)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        how = Descent(self.steps, self.rate, self.decay, self.clip, self.negatives)
        mapping, known, losses, sizes = Mapping(), pairs, list[float](), list[int]()
        for number in range(self.rounds):
            if number:
                known = np.concatenate([pairs, self._mined(mapping, source.vectors, target.vectors, pairs)])
            start = advanced(*vectors_of(known, source, target))
            learnt = known if self.mode == "semi-supervised" else pairs
            mapping, course = descended(*self._words(source, target, learnt), start, how)
            losses += course
            sizes.append(len(known))
        return replace(mapping, facts={"pairs": sizes, "objective": thinned(losses)})

    def _words(self, source: Space, target: Space, pairs: Pairs) -> tuple[Vectors, Vectors, Pairs]:
        """The words that may be negatives, which are the frequent ones and the dictionary's, and its pairs in their rows."""
        sides = []
        for space, rows in zip((source, target), pairs.T, strict=True):
            kept = np.union1d(np.arange(min(self.frequent, len(space.vectors))), rows)
            sides.append((space.vectors[kept], np.searchsorted(kept, rows)))
        (x, of_x), (y, of_y) = sides
        return x, y, np.stack([of_x, of_y], axis=1)

    def _mined(self, mapping: Mapping, x: Vectors, y: Vectors, pairs: Pairs) -> Pairs:
        """The best of frequent words and their translations, both ways, without the words of the dictionary."""
        x, y = unit(mapping.map_source(x)), unit(mapping.map_target(y))
        near_x, near_y = both_ways(x, y, self.neighbours)
        half = np.float32(0.5)
        there = nearest(x[: self.search], y, penalty=half * near_y.mean)
        back = nearest(y[: self.search], x, penalty=half * near_x.mean)
        best_x, best_y = (
            np.argsort(-neighbours.similarity[:, 0], kind="stable")[: self.mined] for neighbours in (there, back)
        )
        forward = np.stack([best_x, there.rows[best_x, 0]], axis=1)
        backward = np.stack([back.rows[best_y, 0], best_y], axis=1)
        new = np.unique(np.concatenate([forward, backward]), axis=0)
        return np.asarray(new[~(np.isin(new[:, 0], pairs[:, 0]) | np.isin(new[:, 1], pairs[:, 1]))])
