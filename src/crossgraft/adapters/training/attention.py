"""Several texts in one row, each attending to itself alone: no padding is computed, and no pair of tokens of two texts.

Everything but attention looks at one token at a time, so the row needs no shape; attention is called once a text. On a
CPU that is cheaper than a mask over the whole row, whose cost grows with the square of its width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from crossgraft.adapters.engine.rows import Mask, Windows

_NAME = "crossgraft-apart"  # among Transformers' attention functions


def can_attend_apart(model: Any, windows: Windows) -> bool:
    """Whether it is worth trying: on a CPU, by SDPA, with layers that see all the way back.

    Not with checkpointing, which calls attention once more after the pass, when the model attends as usual again.
    """
    usual = model.config.get_text_config(decoder=True)._attn_implementation == "sdpa"
    again = any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    return model.device.type == "cpu" and usual and windows.narrowest is None and not again


@contextmanager
def attending_apart(model: Any) -> Iterator[None]:
    """Attention takes ``lengths_mask`` for a mask inside, and is as before outside."""
    config = model.config.get_text_config(decoder=True)
    usual = config._attn_implementation
    config._attn_implementation = _NAME
    try:
        yield
    finally:
        config._attn_implementation = usual


def lengths_mask(lengths: Sequence[int], windows: Windows) -> Mask:
    """The lengths of the texts in a row, shaped like a mask: models hand on masks of four dimensions as they are."""
    mask = torch.tensor(lengths).reshape(1, 1, 1, -1)
    return dict.fromkeys(windows.by_type, mask) if len(windows.by_type) > 1 else mask


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,  # (1, heads, tokens, width), as key and value
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    sdpa = ALL_ATTENTION_FUNCTIONS["sdpa"]
    lengths = attention_mask.flatten().tolist()
    texts = zip(*(whole.split(lengths, dim=2) for whole in (query, key, value)), strict=True)
    return torch.cat([sdpa(module, *text, None, **options)[0] for text in texts], dim=1), None


ALL_ATTENTION_FUNCTIONS[_NAME] = _attend
