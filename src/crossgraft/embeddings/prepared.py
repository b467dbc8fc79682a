"""Normalisation that can be done again: the steps of a space, with the means that were taken off it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crossgraft.embeddings.space import Space, Step, Vectors, unit


@dataclass(frozen=True, eq=False)
class Prepared:
    """What was done to a space before it was mapped; new words take the same steps with the same means."""

    steps: tuple[Step, ...]
    means: Vectors  # (steps, d); the row of a step that takes nothing off is 0

    def __call__(self, vectors: Vectors) -> Vectors:
        for step, mean in zip(self.steps, self.means, strict=True):
            vectors = unit(vectors) if step == "unit" else vectors - mean
        return vectors


def prepare(space: Space, steps: tuple[Step, ...]) -> tuple[Space, Prepared]:
    """The normalised space, and how to normalise further words of the language as if they had been in it."""
    means = np.zeros((len(steps), space.width), dtype=np.float32)
    for place, step in enumerate(steps):
        before = space
        space = before.normalised((step,))
        if step == "center":
            means[place] = before.vectors.mean(axis=0)
    return replace(space), Prepared(steps, means)
