"""FIPP (Sachidananda et al., 2021): give the source the target's similarities where they nearly agree, then rotate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import eigh

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.procrustes import rotation
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.spaces.space import Space, Step, Vectors
from crossgraft.errors import SpecError


@MAPPERS.register
@dataclass(frozen=True)
class FIPP:
    """With g and h the inner products among the n dictionary words of source and target, the source's words are to have
    ``(g + s h) / (1 + s)`` where ``|g - h| < epsilon``, and g elsewhere; ``s = strength · n² / (number of such)``.

    The nearest vectors that have them are leading eigenvectors times the roots of their eigenvalues. Every word is
    carried to them by keeping, as well as least squares can, its inner products with the dictionary; that is a linear
    map, which the dictionary's words take too. Last, a rotation brings the carried words nearest to the target's, by
    the sum of ``(distance / residual)²`` over the pairs: the residual is how far a word's wanted inner products are
    from those of its translation.

    Before all that the first principal component is taken off either space, as the authors do (``components``; of
    vectors with few dimensions that takes more than it gives: with 100 dimensions and 12,000 words 0 is better). They
    tune ``epsilon`` in .01 to .15 and ``strength`` in .25 to 1.25 for every pair of languages; the defaults are about
    the middles. Their mining of further pairs is not here. Memory: about 28 n² bytes, 700 MB at 5,000 pairs.
    """

    epsilon: float = 0.05
    strength: float = 0.75
    components: int = 1  # principal components taken off

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = ("unit", "center")
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        at_least(0, strength=self.strength, components=self.components)
        if not self.epsilon > 0:
            raise SpecError(f"expected epsilon above 0; got {self.epsilon!r}", ("epsilon",))

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        flat_x, flat_y = (off_components(space.vectors, self.components) for space in (source, target))
        x, y = vectors_of(pairs, source, target)
        x, y = x @ flat_x, y @ flat_y
        h = y @ y.T
        wanted, share = filtered(x @ x.T, h, self.epsilon, self.strength)
        rounding = np.finfo(np.float32).eps * len(pairs)
        weights = 1 / (np.linalg.norm(wanted - h, axis=1, keepdims=True) + rounding)
        w = carried(x, embedding(wanted, x.shape[1]))
        w = w @ rotation((x @ w) * weights, y * weights)
        return Mapping(source=flat_x @ w, target=flat_y, facts={"pairs": len(pairs), "isometric": share})


def filtered(g: Vectors, h: Vectors, epsilon: float, strength: float) -> tuple[Vectors, float]:
    """The wanted inner products (n, n), and the share of them that take part of the target's."""
    near = np.abs(g - h) < epsilon
    share = float(near.mean())
    if share == 0:
        return g, share
    s = np.float32(strength / share)
    return np.where(near, (g + s * h) / (1 + s), g), share


def embedding(gram: Vectors, width: int) -> Matrix:
    """The vectors (n, width) whose inner products are nearest to a symmetric matrix; zero columns where it lacks rank."""
    n = len(gram)
    values, vectors = eigh(gram.astype(np.float64), subset_by_index=(max(n - width, 0), n - 1))
    found = np.zeros((n, width))
    found[:, : len(values)] = vectors * np.sqrt(np.maximum(values, 0))
    return found


def carried(x: Vectors, bent: Matrix) -> Matrix:
    """The map (d, d) under which a word has, as nearly as least squares can, those inner products with the bent words
    that it had with the words x: ``xᵀ bent (bentᵀ bent)⁻¹``.
    """
    return np.asarray(np.linalg.lstsq(bent, x.astype(np.float64), rcond=None)[0].T)


def off_components(vectors: Vectors, components: int) -> Vectors:
    """The projection (d, d) that takes off the directions of largest second moment; float32, as it maps vocabularies."""
    _, directions = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    first = directions[:, directions.shape[1] - components :]
    return np.asarray(np.eye(len(first)) - first @ first.T, dtype=np.float32)
