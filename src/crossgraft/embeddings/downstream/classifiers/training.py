"""How a network is trained on the source: settings without torch, which is loaded when a model is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from crossgraft.errors import MissingExtra, SpecError

Network = Any  # a torch.nn.Module: from one or two texts to (items, classes), before the softmax


@dataclass(frozen=True)
class Training:
    """Adam on batches in random order, until dev accuracy has not risen for ``patience`` epochs; the best epoch is kept."""

    epochs: int = 30
    patience: int = 4
    batch: int = 32
    rate: float = 1e-3
    clip: float = 5.0  # the length to which a gradient is cut

    def __post_init__(self) -> None:
        if min(self.epochs, self.patience, self.batch) < 1:
            raise SpecError("expected epochs, patience and batch of at least 1", ("epochs",))
        if not (0 < self.rate < float("inf") and self.clip > 0):
            raise SpecError(f"expected a rate and a clip above 0; got {self.rate} and {self.clip}", ("rate",))

    def brief(self) -> Training:
        return replace(self, epochs=1)


def require_torch(model: str) -> None:
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtra(f"the model {model}", "torch") from error


def require_share(dropout: float) -> None:
    if not 0 <= dropout < 1:
        raise SpecError(f"expected a dropout from 0 to below 1; got {dropout}", ("dropout",))
