"""Least squares (Mikolov et al., 2013): the linear map that best fits the dictionary, free to stretch and shear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from crossgraft.embeddings.lexicon import Pairs
from crossgraft.embeddings.mapping import MAPPERS, Mapping
from crossgraft.embeddings.mapping.steps.dictionary import vectors_of
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.spaces.space import Space, Step


@MAPPERS.register
@dataclass(frozen=True)
class LeastSquares:
    """Minimise ``‖x w - y‖² + ridge · ‖w‖²`` over all ``w``, where rows of x and y are translations.

    With fewer independent pairs than dimensions many ``w`` fit; of them the smallest is taken. A ridge (Dinu et al.,
    2015) is in units of a squared length summed over the dictionary, so it weighs less the more pairs there are.
    """

    ridge: float = 0.0

    uses_dictionary: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False
    normalise: ClassVar[tuple[Step, ...] | None] = None

    def __post_init__(self) -> None:
        at_least(0, ridge=self.ridge)

    def fit(self, source: Space, target: Space, pairs: Pairs, rng: np.random.Generator) -> Mapping:  # noqa: ARG002 - of stochastic methods
        x, y = (rows.astype(np.float64) for rows in vectors_of(pairs, source, target))
        if self.ridge:
            penalty = np.sqrt(self.ridge) * np.eye(x.shape[1])
            x, y = np.vstack([x, penalty]), np.vstack([y, np.zeros((x.shape[1], y.shape[1]))])
        w, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
        objective = float(np.sum((x @ w - y) ** 2) / len(pairs))
        return Mapping(source=w, facts={"pairs": len(pairs), "rank": int(rank), "objective": objective})
