"""ESIM (Chen et al., 2017): the model of natural language inference in Glavaš et al. (2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossgraft.embeddings.downstream.classifiers.encoded import Examples
from crossgraft.embeddings.downstream.classifiers.fitting import Model
from crossgraft.embeddings.downstream.classifiers.training import Training, require_share, require_torch
from crossgraft.errors import SpecError


@dataclass(frozen=True)
class ESIM:
    """Its authors' sizes; ``hidden`` is of each direction."""

    hidden: int = 300
    dropout: float = 0.5
    training: Training = Training(rate=4e-4)

    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_share(self.dropout)
        if self.hidden < 1:
            raise SpecError(f"expected at least 1 hidden unit; got {self.hidden}", ("hidden",))

    def fit(self, train: Examples, dev: Examples, classes: int, seed: int) -> Model:
        require_torch("esim")
        from crossgraft.embeddings.downstream.classifiers.networks.esim import ESIMNetwork
        from crossgraft.embeddings.downstream.classifiers.networks.loop import trained

        width = train.texts.vectors.shape[1]
        return trained(lambda: ESIMNetwork(width, self.hidden, self.dropout, classes), train, dev, self.training, seed)
