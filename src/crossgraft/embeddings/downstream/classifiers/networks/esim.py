"""The network of ESIM (Chen et al., 2017): sentences read by LSTMs, aligned by attention, compared, read again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crossgraft.embeddings.downstream.classifiers.networks.decomposable import aligned
from crossgraft.embeddings.downstream.classifiers.networks.loop import Text


class ESIMNetwork(nn.Module):  # type: ignore[misc]  # torch has no types here
    """The sequential one, without trees."""

    def __init__(self, width: int, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.read = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.project = nn.Sequential(nn.Linear(8 * hidden, hidden), nn.ReLU())
        self.compose = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.decide = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(8 * hidden, hidden),
            nn.Tanh(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    def forward(self, premise: Text, hypothesis: Text) -> Tensor:
        (a, in_a), (b, in_b) = premise, hypothesis
        a, b = _run(self.read, self.drop(a), in_a), _run(self.read, self.drop(b), in_b)
        to_a, to_b = aligned(a, b, in_a, in_b, a, b)
        pooled = [
            _pooled(_run(self.compose, self.drop(self.project(_beside(words, others))), there), there)
            for words, others, there in ((a, to_a, in_a), (b, to_b, in_b))
        ]
        scores: Tensor = self.decide(torch.cat(pooled, dim=1))
        return scores


def _run(lstm: nn.LSTM, words: Tensor, there: Tensor) -> Tensor:
    """What an LSTM says at each word, without having read the padding."""
    lengths = there.sum(dim=1).cpu()
    packed = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
    found: Tensor
    found, _ = nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=words.shape[1])
    return found


def _beside(words: Tensor, others: Tensor) -> Tensor:
    return torch.cat([words, others, words - others, words * others], dim=2)


def _pooled(words: Tensor, there: Tensor) -> Tensor:
    """The mean and the largest value over the words."""
    inside = there[:, :, None]
    mean = (words * inside).sum(dim=1) / inside.sum(dim=1)
    largest = words.masked_fill(~inside, torch.finfo(words.dtype).min).amax(dim=1)
    return torch.cat([mean, largest], dim=1)
