"""Convolution over words (Kim, 2014), in the small form of Glavaš et al. (2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossgraft.embeddings.downstream.classifiers.encoded import Examples
from crossgraft.embeddings.downstream.classifiers.fitting import Model
from crossgraft.embeddings.downstream.classifiers.training import Training, require_share, require_torch
from crossgraft.errors import SpecError


@dataclass(frozen=True)
class Convolutional:
    """As many filters of each width, in words; theirs have no dropout."""

    filters: int = 8
    widths: tuple[int, ...] = (2, 3, 4, 5)
    dropout: float = 0.0
    training: Training = Training()

    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_share(self.dropout)
        if self.filters < 1 or not self.widths or min(self.widths) < 1:
            raise SpecError(
                f"expected filters, and widths of at least 1 word; got {self.filters} and {self.widths}", ("widths",)
            )

    def fit(self, train: Examples, dev: Examples, classes: int, seed: int) -> Model:
        require_torch("cnn")
        from crossgraft.embeddings.downstream.classifiers.networks.convolutional import ConvolutionalNetwork
        from crossgraft.embeddings.downstream.classifiers.networks.loop import trained

        width = train.texts.vectors.shape[1]
        return trained(
            lambda: ConvolutionalNetwork(width, self.filters, self.widths, self.dropout, classes),
            train,
            dev,
            self.training,
            seed,
        )
