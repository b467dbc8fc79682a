"""Orthogonal Procrustes (Schönemann, 1966): the rotation that best fits the dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping, Matrix
from crossgraft.embeddings.spaces.space import Space, Step, Vectors
from crossgraft.errors import DataError


@MAPPERS.register
@dataclass(frozen=True)
class Procrustes:
    """Minimise ``‖x w - y‖`` over orthogonal ``w``, where rows of x and y are translations.

    With ``xᵀy = u s vᵀ`` the minimum is at ``w = u vᵀ``. A rotation keeps lengths and
    angles, and with them every monolingual neighbourhood.
    """

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = None

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        if len(pairs) == 0:
            raise DataError("no dictionary entry is in both vocabularies")
        return Mapping(source=rotation(source.vectors[pairs[:, 0]], target.vectors[pairs[:, 1]]))


def rotation(x: Vectors, y: Vectors) -> Matrix:
    """The orthogonal matrix (d, d) that takes rows of x nearest to those of y."""
    u, _, vt = np.linalg.svd(x.T.astype(np.float64) @ y.astype(np.float64))
    return np.asarray(u @ vt)
