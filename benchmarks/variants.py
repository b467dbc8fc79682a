"""The engine's parts, put together so that one thing changes at a time against what the harness does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from crossgraft.adapters.engine.body import Whole
from crossgraft.adapters.engine.likelihoods import log_likelihoods
from crossgraft.adapters.engine.paths import KeptContext, PackedRow, PlainRows
from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.adapters.engine.rows import Windows
from crossgraft.core import Floats

TOKENS = 2048  # of a batch, where a variant counts tokens: the engine's own on a CPU


class EveryToken(Whole):
    """Logits and their softmax for every token, as the harness computes them."""

    def states(self, *args: Any, **options: Any) -> torch.Tensor:
        return torch.log_softmax(super().states(*args, **options), dim=-1)


def by_rows(sizes: Sequence[tuple[int, int]], most: int) -> list[list[int]]:
    """The widest first, so many rows to a batch."""
    order = sorted(range(len(sizes)), key=lambda n: (-sizes[n][1], n))
    count = max(1, most // sizes[0][0])
    return [order[start : start + count] for start in range(0, len(order), count)]


def by_tokens(sizes: Sequence[tuple[int, int]], most: int) -> list[list[int]]:
    """The widest first, as many as hold so many tokens with their padding."""
    batches: list[list[int]] = []
    for n in sorted(range(len(sizes)), key=lambda n: (-sizes[n][1], n)):
        if batches and (len(batches[-1]) + 1) * sizes[n][0] * sizes[batches[-1][0]][1] <= most:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


@dataclass(frozen=True)
class Variant:
    """A way, how batches are made, and whether what all contexts begin with is read once."""

    way: PlainRows | KeptContext | PackedRow
    requests: Sequence[Request]
    rows: int = 0  # of a batch; 0: by tokens
    share: bool = False

    def __call__(self) -> Floats:
        requests = self.requests
        if self.way.name == "plain":
            requests = [Request(one.context, (option,)) for one in requests for option in one.options]
        sums: dict[int, Floats] = {}
        with torch.inference_mode():
            beginning = shared_beginning(requests) if self.share else ()
            kept = self.way.keep(beginning) if beginning else None
            sizes = [self.way.size(request, len(beginning)) for request in requests]
            for batch in by_rows(sizes, self.rows) if self.rows else by_tokens(sizes, TOKENS):
                count = sum(len(requests[n].options) for n in batch)
                read = self.way.read([requests[n] for n in batch], kept)
                found = log_likelihoods(self.way.body, read, count)
                start = 0
                for n in batch:
                    sums[n] = found[start : start + len(requests[n].options)]
                    start += len(requests[n].options)
        return np.concatenate([sums[n] for n in range(len(requests))])


def harness_way(model: Any, requests: Sequence[Request], rows: int) -> Variant:
    """What the harness does, rebuilt: every option with its context, equal ones once, logits of every token."""
    every = EveryToken(model)
    windows = Windows.of(model.config)
    if windows is not None and all(len(option) == 1 for request in requests for option in request.options):
        return Variant(PackedRow(every, windows, model.dtype), requests, rows)  # letters: the harness reads one row
    return Variant(PlainRows(every), requests, rows)
