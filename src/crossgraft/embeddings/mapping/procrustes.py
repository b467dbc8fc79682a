"""Orthogonal Procrustes (Schönemann, 1966): the rotation that best fits the dictionary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.space import Space
from crossgraft.errors import DataError


@MAPPERS.register
@dataclass(frozen=True)
class Procrustes:
    """Minimise ``‖x w - y‖`` over orthogonal ``w``, where rows of x and y are translations.

    With ``xᵀy = u s vᵀ`` the minimum is at ``w = u vᵀ``. A rotation keeps lengths and
    angles, and with them every monolingual neighbourhood.
    """

    def fit(self, source: Space, target: Space, pairs: Pairs) -> Mapping:
        if len(pairs) == 0:
            raise DataError("no dictionary entry is in both vocabularies")
        x = source.vectors[pairs[:, 0]].astype(np.float64)
        y = target.vectors[pairs[:, 1]].astype(np.float64)
        u, _, vt = np.linalg.svd(x.T @ y)
        return Mapping(source=u @ vt)
