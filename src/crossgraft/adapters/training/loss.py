"""The loss of one step: examples in one row or packed into several, the head only where a token counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from crossgraft.adapters.engine.body import Body, Halves, Whole
from crossgraft.adapters.engine.rows import CONTEXT, Picks, Row, Windows, assemble
from crossgraft.adapters.training.attention import attending_apart, can_attend_apart, lengths_mask
from crossgraft.adapters.training.steps import rows_of

_TILE_BYTES = 2**28  # of float32 logits kept for the backward pass; beyond that they are computed twice
_SAME = 1e-4  # relative difference of a loss, in float32


@dataclass(frozen=True)
class Example:
    """A training text: prompt and answer; the loss counts tokens from ``start`` on. ``part``: of which source."""

    ids: tuple[int, ...]
    start: int
    part: str = ""

    @property
    def counted(self) -> int:
        return len(self.ids) - self.start


class StepLoss:
    """Sums of cross-entropy over the tokens that count, without padding where that gives the model's own loss.

    ``packed`` says whether it does, which is tried on the first examples: all in one row, each attending to itself
    (``apart``), or else in rows with a mask. ``why`` says why not. ``most_tokens`` is what one pass takes; it falls
    when memory runs out.
    """

    def __init__(self, model: Any, probe: Sequence[Example]) -> None:
        self._model = model
        self._windows = Windows.of(model.config)
        self._body: Body = Halves(model)
        self.packed = self._windows is not None and not getattr(model, "_is_stateful", False)
        self.apart = self._windows is not None and self.packed and can_attend_apart(model, self._windows)
        self.most_tokens = 2**14 if model.device.type == "cuda" else 2**13
        self.why = "" if self.packed else "the model has layers that are no attention"
        self._try(probe)

    def _try(self, probe: Sequence[Example]) -> None:
        """Against the model's own logits, one text at a time."""
        few = list(probe[:4])
        with torch.no_grad():
            expected = sum(self._by_the_model(example) for example in few)
            tolerance = (_SAME if self._model.dtype == torch.float32 else 0.02) * max(1.0, abs(expected))
            for body in (self._body, Whole(self._model)):
                self._body = body
                if self.apart and abs(self._loss_or_nan(self._in_one_row, few) - expected) <= tolerance:
                    return
                if self.packed and abs(self._loss_or_nan(self._packed, few) - expected) <= tolerance:
                    self.apart = False
                    return
                if abs(float(self._padded(few, body)) - expected) <= tolerance:
                    if self.packed:
                        self.packed, self.why = False, "packed rows give another loss than padded ones"
                    self.apart = False
                    return

    def _by_the_model(self, example: Example) -> float:
        """By the model as it is. It is asked for no logits of the prompt where it can leave them out: with a long
        prompt they would take more memory than the training that follows.
        """
        last = example.counted + 1
        can = "logits_to_keep" in signature(self._model.forward).parameters
        ids = torch.tensor([example.ids], device=self._model.device)
        logits = self._model(input_ids=ids, use_cache=False, **({"logits_to_keep": last} if can else {})).logits
        return float(cross_entropy(logits[0, -last:-1].float(), ids[0, example.start :], reduction="sum"))

    def _loss_or_nan(self, way: Callable[[Sequence[Example]], torch.Tensor], examples: Sequence[Example]) -> float:
        try:
            return float(way(examples))
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError):
            return float("nan")

    def __call__(self, examples: Sequence[Example]) -> torch.Tensor:
        """The sum over the tokens that count, of all examples."""
        if self.apart:
            return self._in_one_row(examples)
        return self._packed(examples) if self.packed else self._padded(examples, self._body)

    def _in_one_row(self, examples: Sequence[Example]) -> torch.Tensor:
        assert self._windows is not None
        row = Row()
        for segment, example in enumerate(examples, CONTEXT + 1):
            _add(row, example, segment)
        batch, picks = assemble([row], self._model.device)
        with attending_apart(self._model):
            states = self._body.states(batch, lengths_mask([len(one.ids) for one in examples], self._windows))
        return self._sum(self._body, states, picks)

    def _packed(self, examples: Sequence[Example]) -> torch.Tensor:
        assert self._windows is not None
        rows = []
        for members in rows_of([len(example.ids) for example in examples]):
            row = Row()
            for segment, member in enumerate(members, CONTEXT + 1):
                _add(row, examples[member], segment)
            rows.append(row)
        batch, picks = assemble(rows, self._model.device)
        states = self._body.states(batch, self._windows.mask(batch, batch, self._model.dtype))
        return self._sum(self._body, states, picks)

    def _padded(self, examples: Sequence[Example], body: Body) -> torch.Tensor:
        rows = []
        for example in examples:
            row = Row()
            _add(row, example, CONTEXT)
            rows.append(row)
        batch, picks = assemble(rows, self._model.device)
        states = body.states(batch, (batch.segments == CONTEXT).long())
        return self._sum(body, states, picks)

    def _sum(self, body: Body, output: torch.Tensor, picks: Picks) -> torch.Tensor:
        picks = picks.to(output.device)
        states, tokens = output.flatten(0, 1)[picks.places], picks.tokens
        tile = max(1, _TILE_BYTES // (4 * body.vocabulary))
        if len(states) <= tile:
            return _entropy(body, states, tokens)
        parts = [
            checkpoint(_entropy, body, states[first : first + tile], tokens[first : first + tile], use_reentrant=False)
            for first in range(0, len(states), tile)
        ]
        return torch.stack(parts).sum()


def _entropy(body: Body, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return cross_entropy(body.logits(states), tokens, reduction="sum")


def _add(row: Row, example: Example, segment: int) -> None:
    begin = len(row.ids)
    row.add(example.ids, 0, segment)
    for place in range(example.start, len(example.ids)):
        row.predict(begin + place - 1, example.ids[place], 0)
