"""A causal language model in two halves: the body gives hidden states, the head logits of chosen ones."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from crossgraft.adapters.engine.rows import Mask, Rows

_ALL = slice(None)


class Body(Protocol):
    """Something that reads rows and can be asked for logits at places of its output."""

    @property
    def device(self) -> torch.device: ...

    @property
    def vocabulary(self) -> int:
        """Entries that the head has logits of."""
        ...

    @property
    def head_can_be_cut(self) -> bool:
        """Whether the logits of a part of the vocabulary cost a part of the work."""
        ...

    def states(self, rows: Rows, mask: Mask, cache: Any = None) -> torch.Tensor:
        """(rows, width, …), on the device that gives the logits"""
        ...

    def logits(self, states: torch.Tensor, entries: slice = _ALL) -> torch.Tensor:
        """(places, vocabulary), in float32; of some entries only where the head can be cut"""
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
        head = self._model.get_output_embeddings()
        return int(getattr(head, "out_features", 0) or self._model.config.get_text_config(decoder=True).vocab_size)

    @property
    def head_can_be_cut(self) -> bool:
        """A plain linear layer can: no adapter in it, no packed weights, nobody who listens or moves weights."""
        head = self._model.get_output_embeddings()
        return type(head) is torch.nn.Linear and not (
            "forward" in vars(head) or head._forward_hooks or head._forward_pre_hooks
        )

    def states(self, rows: Rows, mask: Mask, cache: Any = None) -> torch.Tensor:
        output = self._model.base_model(
            input_ids=rows.ids,
            attention_mask=mask,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        head = self._model.get_output_embeddings()
        states: torch.Tensor = output.last_hidden_state.to(next(head.parameters()).device)
        return states

    def logits(self, states: torch.Tensor, entries: slice = _ALL) -> torch.Tensor:
        head = self._model.get_output_embeddings()
        if entries == _ALL:
            logits = head(states).float()
        else:
            bias = None if head.bias is None else head.bias[entries]
            logits = torch.nn.functional.linear(states, head.weight[entries], bias).float()
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

    @property
    def head_can_be_cut(self) -> bool:
        return False

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

    def logits(self, states: torch.Tensor, entries: slice = _ALL) -> torch.Tensor:
        return states[:, entries].float()
