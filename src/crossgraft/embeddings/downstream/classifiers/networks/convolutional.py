"""The network of text classification by convolution (Kim, 2014): filters over windows of words, the largest answer of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from crossgraft.embeddings.downstream.classifiers.networks.loop import Text


class ConvolutionalNetwork(nn.Module):  # type: ignore[misc]  # torch has no types here
    """One layer of convolution, then the softmax."""

    def __init__(self, width: int, filters: int, widths: Sequence[int], dropout: float, classes: int) -> None:
        super().__init__()
        self.windows = nn.ModuleList(nn.Conv1d(width, filters, size) for size in widths)
        self.decide = nn.Sequential(nn.Dropout(dropout), nn.Linear(filters * len(widths), classes))

    def forward(self, text: Text) -> Tensor:
        words, there = text
        scores: Tensor = self.decide(torch.cat([_largest(window, words, there) for window in self.windows], dim=1))
        return scores


def _largest(window: nn.Conv1d, words: Tensor, there: Tensor) -> Tensor:
    """The largest answer over windows that lie in the text; a text shorter than a window has one, filled up with zeros."""
    size = window.kernel_size[0]
    padded = nn.functional.pad(words.transpose(1, 2), (0, size - 1))
    answers = nn.functional.relu(window(padded))  # (items, filters, words)
    last = (there.sum(dim=1) - size).clamp(min=0)  # where the last window begins
    inside = torch.arange(words.shape[1], device=words.device)[None, :] <= last[:, None]
    tensor: Tensor = answers.masked_fill(~inside[:, None, :], 0.0).amax(dim=2)
    return tensor
