"""A causal language model in two halves: the body gives hidden states, the head logits of chosen ones."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from crossgraft.adapters.engine.rows import Mask, Picks, Rows

_LEAST_ROWS = 64
_TILE_BYTES = {"cpu": 2**23, "cuda": 2**29}  # of float32 logits at a time


class Body(Protocol):
    """Something that reads rows and can be asked for logits at places of its output."""

    @property
    def device(self) -> torch.device: ...

    @property
    def vocabulary(self) -> int: ...

    def states(self, rows: Rows, mask: Mask, cache: Any = None) -> torch.Tensor:
        """(rows, width, …)"""
        ...

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """(places, vocabulary), in float32"""
        ...


class Halves:
    """The decoder without its head, and the head on its own, with what the model does to logits afterwards.

    Whatever else a model does at its end is found by the self-test, and ``Whole`` used instead.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        text = model.config.get_text_config(decoder=True)
        self._cap: float | None = getattr(text, "final_logit_softcapping", None)
        self._factor = float(getattr(text, "logit_scale", None) or 1.0) / float(
            getattr(text, "logits_scaling", None) or 1.0
        )

    @property
    def device(self) -> torch.device:
        device: torch.device = self._model.device
        return device

    @property
    def vocabulary(self) -> int:
        return int(self._model.config.get_text_config(decoder=True).vocab_size)

    def states(self, rows: Rows, mask: Mask, cache: Any = None) -> torch.Tensor:
        output = self._model.base_model(
            input_ids=rows.ids,
            attention_mask=mask,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        states: torch.Tensor = output.last_hidden_state
        return states

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        logits = self._model.get_output_embeddings()(states).float()
        if self._factor != 1.0:
            logits = logits * self._factor
        if self._cap is not None:
            logits = torch.tanh(logits / self._cap) * self._cap
        return logits


class Whole:
    """The model as it is: logits of every token of every row, most of them for nothing."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def device(self) -> torch.device:
        device: torch.device = self._model.device
        return device

    @property
    def vocabulary(self) -> int:
        return int(self._model.config.get_text_config(decoder=True).vocab_size)

    def states(self, rows: Rows, mask: Mask, cache: Any = None) -> torch.Tensor:
        output = self._model(
            input_ids=rows.ids,
            attention_mask=mask,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        states: torch.Tensor = output.logits
        return states

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        return states.float()


def zero_sums(count: int, device: torch.device) -> torch.Tensor:
    """Room for so many sums: float64, or float32 where the device (Apple's MPS) has nothing wider."""
    return torch.zeros(count, dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)


def add_sums(body: Body, states: torch.Tensor, picks: Picks, sums: torch.Tensor) -> None:
    """Add to ``sums``, option by option, the log-probability of every token that is predicted.

    Log-softmax in float32, a tile of rows at a time; sums in their own type.
    """
    if not len(picks.places):
        return
    chosen = states.flatten(0, 1)[picks.places]
    found = torch.empty(len(picks.tokens), dtype=sums.dtype, device=chosen.device)
    starts = torch.searchsorted(picks.at, torch.arange(len(picks.places) + 1, device=picks.at.device)).tolist()
    tile = _tile(body.vocabulary, chosen.device)
    for first in range(0, len(chosen), tile):
        last = min(first + tile, len(chosen))
        logits = body.logits(chosen[first:last])
        whole = torch.logsumexp(logits, dim=-1)
        mine = slice(starts[first], starts[last])
        at = picks.at[mine] - first
        found[mine] = (logits[at, picks.tokens[mine]] - whole[at]).to(sums.dtype)
    sums.index_add_(0, picks.owners, found)


def _tile(vocabulary: int, device: torch.device) -> int:
    """Rows of logits at a time: few enough for memory, enough that the head's weights are not read for each anew."""
    return max(_LEAST_ROWS, _TILE_BYTES.get(device.type, 2**26) // (4 * vocabulary))
