"""How much arithmetic an optimiser step of LoRA needs: at least, and as it is laid out in padded rows.

A frozen weight costs 2 FLOPs a token forward and 2 backward (only the gradient of its input is wanted), a weight of the
adapter 2 and 4. A pair of tokens, one attending to the other, costs 4 FLOPs a dimension of attention forward (scores,
weighted sum) and 8 backward. The least work reads a text without its last token, which predicts nothing, without padding,
attends backwards only, and asks the head only where a token counts. Two savings that nobody has are left out: the
last layer's work on tokens that do not count, and the first layer's gradient of its input (each below 1 / layers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import torch

from crossgraft.adapters.training.loss import Example


@dataclass(frozen=True)
class StepWork:
    """Tokens through the layers, tokens of which logits are wanted, pairs of tokens that attend."""

    tokens: int
    head: int
    pairs: int

    @classmethod
    def least(cls, batch: Sequence[Example]) -> StepWork:
        read = [len(example.ids) - 1 for example in batch]
        return cls(sum(read), sum(example.counted for example in batch), sum(n * (n + 1) // 2 for n in read))

    @classmethod
    def padded(cls, batch: Sequence[Example], width: int = 0) -> StepWork:
        """Rows of a width, or as wide as the longest, and logits of every token."""
        width = width or max(len(example.ids) for example in batch)
        return cls(len(batch) * width, len(batch) * width, len(batch) * (width * (width + 1) // 2))

    @classmethod
    def total(cls, works: Iterable[StepWork]) -> StepWork:
        return cls(*(sum(part) for part in zip(*(astuple(work) for work in works), strict=True)))


@dataclass(frozen=True)
class StepWeights:
    """Weights that multiply a token, and dimensions of attention, of all layers together."""

    layers: int
    adapter: int
    head: int
    attention: int

    @classmethod
    def of(cls, wrapped: Any) -> StepWeights:
        """Of a model with its adapter in it."""
        model = wrapped.get_base_model()
        head, text = model.get_output_embeddings(), model.config
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module is not head]
        adapter = sum(module.weight.numel() for module in linear if module.weight.requires_grad)
        attention = text.num_hidden_layers * text.num_attention_heads * text.head_dim
        return cls(sum(module.weight.numel() for module in linear) - adapter, adapter, head.weight.numel(), attention)

    def flops(self, work: StepWork) -> int:
        return (
            work.tokens * (4 * self.layers + 6 * self.adapter)
            + 4 * self.head * work.head
            + 12 * self.attention * work.pairs
        )
