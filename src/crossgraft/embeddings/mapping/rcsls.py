"""Relaxed CSLS (Joulin et al., 2018): the linear map for which CSLS, by which words are then found, is best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.mapping.steps.trace import thinned
from crossgraft.embeddings.retrieval import nearest
from crossgraft.embeddings.spaces.space import Space, Step, Vectors

_SMALLEST = 1e-4  # learning rate at which nothing more is tried


@MAPPERS.register
@dataclass(frozen=True)
class RCSLS:
    """Minimise, over the dictionary's pairs (x, y) of unit vectors,

    ``-2 xw·y + mean of xw·y' over the k nearest y' of xw + mean of x'w·y over the k nearest x'w of y``,

    by gradient descent from the rotation of Procrustes, with neighbours found anew at every step among all words. A step
    that raises the loss is taken back, and tried again at half the rate. ``mode="spectral"`` keeps singular values at
    most 1, the convex relaxation of a rotation. Without it, w may stretch: good for finding words, hard on what a space knows
    of its own language.
    """

    mode: Literal["linear", "spectral"] = "linear"
    iterations: int = 10
    rate: float = 1.0
    neighbours: int = 10

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center", "unit")

    def __post_init__(self) -> None:
        at_least(1, iterations=self.iterations, neighbours=self.neighbours)
        at_least(_SMALLEST, rate=self.rate)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        x, y = vectors_of(pairs, source, target)
        w = rotation(x, y).astype(np.float32)
        loss, gradient = self._loss(w, x, y, source.vectors, target.vectors)
        losses, rate, tried = [loss], self.rate, 0
        while tried < self.iterations and rate >= _SMALLEST:
            tried += 1
            candidate = self._constrained(w - rate * gradient)
            new, new_gradient = self._loss(candidate, x, y, source.vectors, target.vectors)
            if new > loss:
                rate /= 2
                continue
            w, loss, gradient = candidate, new, new_gradient
            losses.append(loss)
        return Mapping(
            source=w, facts={"pairs": len(pairs), "objective": thinned(losses), "tried": tried, "rate": rate}
        )

    def _loss(self, w: Matrix, x: Vectors, y: Vectors, words_x: Vectors, words_y: Vectors) -> tuple[float, Vectors]:
        """The mean over the pairs, and its gradient (d, d); neighbours are held fixed, as they are almost everywhere."""
        mapped = np.asarray(x @ w, dtype=np.float32)
        near_y = nearest(mapped, words_y, self.neighbours)
        near_x = nearest(y, np.asarray(words_x @ w, dtype=np.float32), self.neighbours)
        loss = (
            -2 * float(np.einsum("ij,ij->i", mapped, y).mean()) + float(near_y.mean.mean()) + float(near_x.mean.mean())
        )
        of_y = words_y[near_y.rows].mean(axis=1)
        of_x = words_x[near_x.rows].mean(axis=1)
        gradient = -(2 * x.T @ y - x.T @ of_y - of_x.T @ y) / len(x)
        return loss, np.asarray(gradient, dtype=np.float32)

    def _constrained(self, w: Vectors) -> Vectors:
        if self.mode == "linear":
            return w
        u, s, vt = np.linalg.svd(w.astype(np.float64))
        return np.asarray(u @ np.diag(np.minimum(s, 1)) @ vt, dtype=np.float32)
