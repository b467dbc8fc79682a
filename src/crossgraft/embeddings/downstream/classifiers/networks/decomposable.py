"""The network of decomposable attention (Parikh et al., 2016): attend, compare, aggregate; no order of words."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crossgraft.embeddings.downstream.classifiers.networks.loop import Text


class DecomposableAttentionNetwork(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Premise and hypothesis, word by word, each beside the words of the other that it resembles."""

    def __init__(self, width: int, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, hidden, bias=False)
        self.attend = _perceptron(hidden, hidden, dropout)
        self.compare = _perceptron(2 * hidden, hidden, dropout)
        self.aggregate = nn.Sequential(_perceptron(2 * hidden, hidden, dropout), nn.Linear(hidden, classes))

    def forward(self, premise: Text, hypothesis: Text) -> Tensor:
        (a, in_a), (b, in_b) = premise, hypothesis
        a, b = self.project(a), self.project(b)
        to_a, to_b = aligned(self.attend(a), self.attend(b), in_a, in_b, a, b)
        compared = [
            (self.compare(torch.cat([words, others], dim=2)) * there[:, :, None]).sum(dim=1)
            for words, others, there in ((a, to_a, in_a), (b, to_b, in_b))
        ]
        scores: Tensor = self.aggregate(torch.cat(compared, dim=1))
        return scores


def aligned(
    query_a: Tensor, query_b: Tensor, in_a: Tensor, in_b: Tensor, a: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    """For each word of a text, the words of the other weighted by the softmax of their products."""
    products = query_a @ query_b.transpose(1, 2)  # (items, words of a, words of b)
    low = torch.finfo(products.dtype).min
    over_b = products.masked_fill(~in_b[:, None, :], low).softmax(dim=2)
    over_a = products.masked_fill(~in_a[:, :, None], low).softmax(dim=1)
    return over_b @ b, over_a.transpose(1, 2) @ a


def _perceptron(width: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(width, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
    )
