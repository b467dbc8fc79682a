"""Decomposable attention (Parikh et al., 2016): a light model of natural language inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossgraft.embeddings.downstream.classifiers.encoded import Examples
from crossgraft.embeddings.downstream.classifiers.fitting import Model
from crossgraft.embeddings.downstream.classifiers.training import Training, require_share, require_torch
from crossgraft.errors import SpecError


@dataclass(frozen=True)
class DecomposableAttention:
    """Their sizes; their Adagrad is Adam here."""

    hidden: int = 200
    dropout: float = 0.2
    training: Training = Training()

    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_share(self.dropout)
        if self.hidden < 1:
            raise SpecError(f"expected at least 1 hidden unit; got {self.hidden}", ("hidden",))

    def fit(self, train: Examples, dev: Examples, classes: int, seed: int) -> Model:
        require_torch("decomposable-attention")
        from crossgraft.embeddings.downstream.classifiers.networks.decomposable import DecomposableAttentionNetwork
        from crossgraft.embeddings.downstream.classifiers.networks.loop import trained

        width = train.texts.vectors.shape[1]
        return trained(
            lambda: DecomposableAttentionNetwork(width, self.hidden, self.dropout, classes),
            train,
            dev,
            self.training,
            seed,
        )
