"""Canonical correlation analysis (Faruqui and Dyer, 2014): both sides into the directions that agree most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.spaces.space import Space, Step


@MAPPERS.register
@dataclass(frozen=True)
class CCA:
    """With ``u s vᵀ = c_xx^(-1/2) c_xy c_yy^(-1/2)``, the second moments of the dictionary's rows x and y, s are the
    canonical correlations.

    ``true``: x goes to ``c_xx^(-1/2) u`` and y to ``c_yy^(-1/2) v``, in which every direction has variance 1.
    ``released``: x goes to ``u`` and y to ``v``, without whitening; so did the code behind Glavaš et al. (2019), whose
    "CCA" is therefore nearly Procrustes. As both are rotations, ``x u vᵀ`` and y unmapped have the same cosines.

    Moments are not centred, as the mapped vectors are not: centre the spaces. Directions that no pair of the
    dictionary varies in (fewer pairs than dimensions) are left out of the whitening.
    """

    mode: Literal["true", "released"] = "true"
    dimensions: int = 0  # canonical directions kept, those of highest correlation; 0 keeps all

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = None

    def __post_init__(self) -> None:
        at_least(0, dimensions=self.dimensions)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        x, y = (rows.astype(np.float64) for rows in vectors_of(pairs, source, target))
        white_x, white_y = inverse_root(x.T @ x / len(x)), inverse_root(y.T @ y / len(y))
        u, s, vt = np.linalg.svd(white_x @ (x.T @ y / len(x)) @ white_y)
        kept = slice(0, self.dimensions or len(s))
        u, v = u[:, kept], vt[kept].T
        facts = {"pairs": len(pairs), "objective": float(s[kept].mean())}  # mean canonical correlation
        if self.mode == "true":
            return Mapping(source=white_x @ u, target=white_y @ v, facts=facts)
        if self.dimensions:
            return Mapping(source=u, target=v, facts=facts)
        return Mapping(source=u @ v.T, facts=facts)


def inverse_root(moments: Matrix) -> Matrix:
    """``c^(-1/2)`` of a symmetric matrix, zero in directions where c is zero up to rounding."""
    values, vectors = np.linalg.eigh(moments)
    there = values > values.max() * len(values) * np.finfo(np.float32).eps  # the data are float32
    return np.asarray((vectors[:, there] / np.sqrt(values[there])) @ vectors[:, there].T)
