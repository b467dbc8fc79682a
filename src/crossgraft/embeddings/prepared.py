"""Normalisation that can be done again: what the steps of a space were, for words that come later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.space import Space, Step, Vectors, unit


@dataclass(frozen=True)
class Unit:
    """Every row to length 1."""

    def __call__(self, rows: Vectors) -> Vectors:
        return unit(rows)


@dataclass(frozen=True, eq=False)
class Affine:
    """``(x - mean) w``, with the mean and matrix found on a vocabulary; without a matrix only the mean is taken off."""

    mean: npt.NDArray[np.float32]  # (d,)
    matrix: npt.NDArray[np.float32] | None = None  # (d, d)

    def __call__(self, rows: Vectors) -> Vectors:
        centred = rows - self.mean
        return centred if self.matrix is None else np.asarray(centred @ self.matrix)


@dataclass(frozen=True)
class Normaliser:
    """What was done to a vocabulary, so that it can be done to another word."""

    steps: tuple[Unit | Affine, ...] = ()

    def __call__(self, vectors: Vectors) -> Vectors:
        for step in self.steps:
            vectors = step(vectors)
        return vectors


def prepare(space: Space, steps: tuple[Step, ...]) -> tuple[Space, Normaliser]:
    """The normalised space, and how to normalise further words of the language as if they had been in it."""
    made: list[Unit | Affine] = []
    for step in steps:
        made.append(Unit() if step == "unit" else Affine(np.asarray(space.vectors.mean(axis=0))))
        space = space.normalised((step,))
    return space, Normaliser(tuple(made))
