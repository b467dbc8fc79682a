"""Adversarial training without a dictionary (Conneau et al., 2018): a mapping against a discriminator of the two languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crossgraft.embeddings.mapping import Matrix
from crossgraft.embeddings.mapping.steps.gradients import loaded, tensor
from crossgraft.embeddings.mapping.steps.limits import at_least
from crossgraft.embeddings.spaces.devices import place
from crossgraft.embeddings.spaces.space import Vectors
from crossgraft.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor

_SHORTEST = 1e-6  # mean length of vectors; shorter ones are all zero


@dataclass(frozen=True)
class AdversarialSettings:
    """Sizes and rates; the defaults are the authors', but for ``length``, which is ours.

    Theirs takes vectors as they are. From vectors of length 1 mapping and discriminator learn little.
    """

    hidden: int = 2048  # units per hidden layer of the discriminator
    batch: int = 32  # words of each language
    guesses: int = 5  # discriminator steps per mapping step
    smoothing: float = 0.1  # of the labels
    dropout: float = 0.1  # on the input of the discriminator
    beta: float = 0.001  # how fast the map returns to a rotation
    length: float = 4.0  # mean length to which the vectors are scaled

    def __post_init__(self) -> None:
        at_least(1, hidden=self.hidden, batch=self.batch, guesses=self.guesses)
        at_least(0, smoothing=self.smoothing, dropout=self.dropout, beta=self.beta)
        at_least(1e-3, length=self.length)
        if not (self.smoothing < 0.5 and self.dropout < 1 and self.beta < 1):
            raise SpecError(
                f"expected smoothing below .5, dropout and beta below 1; got {self.smoothing}, {self.dropout}, {self.beta}"
            )


class AdversarialTraining:
    """The mapping w, which starts as the identity, and the discriminator; both change with every round."""

    def __init__(self, x: Vectors, y: Vectors, settings: AdversarialSettings, rng: np.random.Generator) -> None:
        self._torch = loaded("muse")
        self._settings = settings
        self._device = place()
        self._random = self._torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        length = float(np.linalg.norm(np.concatenate([x, y]), axis=1).mean())
        scale = np.float32(settings.length / max(length, _SHORTEST))
        self._x, self._y = tensor(self._torch, scale * x), tensor(self._torch, scale * y)
        self._w = self._torch.eye(x.shape[1], device=self._device).requires_grad_()
        self._layers = list(self._start((x.shape[1], settings.hidden, settings.hidden, 1)))
        is_source = self._torch.arange(2 * settings.batch, device=self._device) < settings.batch
        self._answers = self._torch.where(is_source, 1 - settings.smoothing, settings.smoothing)

    @property
    def w(self) -> Matrix:
        return np.asarray(self._w.detach().cpu().numpy(), dtype=np.float64)

    def train(self, rounds: int, rate: float) -> float:
        """Steps of the mapping, each after its discriminator steps; returns the mean discriminator loss in nats."""
        losses = []
        for _ in range(rounds):
            for _ in range(self._settings.guesses):
                loss = self._cross_entropy(self._batch().detach(), self._answers)
                self._step(loss, [part for layer in self._layers for part in layer], rate)
            losses.append(loss.detach())
            self._step(self._cross_entropy(self._batch(), 1 - self._answers), [self._w], rate)
            self._towards_rotation()
        return float(self._torch.stack(losses).mean())

    def _batch(self) -> Tensor:
        """Mapped words of the source above words of the target. (2 × batch, d)"""
        some_x, some_y = (side[self._drawn(len(side))] for side in (self._x, self._y))
        return self._torch.cat([some_x @ self._w, some_y])

    def _drawn(self, among: int) -> Tensor:
        return self._torch.randint(among, (self._settings.batch,), generator=self._random, device=self._device)

    def _cross_entropy(self, vectors: Tensor, answers: Tensor) -> Tensor:
        functional = self._torch.nn.functional
        kept = self._torch.rand(vectors.shape, generator=self._random, device=vectors.device) >= self._settings.dropout
        vectors = vectors * kept / (1 - self._settings.dropout)
        for weights, bias in self._layers[:-1]:
            vectors = functional.leaky_relu(vectors @ weights + bias, 0.2)
        weights, bias = self._layers[-1]
        return functional.binary_cross_entropy_with_logits((vectors @ weights + bias)[:, 0], answers)

    def _step(self, loss: Tensor, parts: list[Tensor], rate: float) -> None:
        with self._torch.no_grad():
            for part, gradient in zip(parts, self._torch.autograd.grad(loss, parts), strict=True):
                part.sub_(rate * gradient)

    def _towards_rotation(self) -> None:
        with self._torch.no_grad():
            beta, w = self._settings.beta, self._w
            w.copy_((1 + beta) * w - beta * w @ (w.T @ w))

    def _start(self, widths: tuple[int, ...]) -> Iterator[tuple[Tensor, Tensor]]:
        """Weights and biases, uniform within ± 1/√(inputs)."""
        for inputs, outputs in pairwise(widths):
            bound = inputs**-0.5
            yield self._uniform((inputs, outputs), bound), self._uniform((outputs,), bound)

    def _uniform(self, shape: tuple[int, ...], bound: float) -> Tensor:
        drawn = self._torch.rand(shape, generator=self._random, device=self._device)
        return (2 * bound * drawn - bound).requires_grad_()
