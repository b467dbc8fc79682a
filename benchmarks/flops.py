"""How much arithmetic requests need: at least, and when every option is read with its whole context.

Counted are the matrix products of the weights, 2 FLOPs a weight and token. Attention over the tokens is left out: below
a thousand tokens it is a few per cent, and it is saved in the same proportion or more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from crossgraft.adapters.engine.requests import Request, shared_beginning


@dataclass(frozen=True)
class Work:
    """Tokens that go through the layers, and tokens of which logits are wanted."""

    body: int
    head: int


def least_work(requests: Sequence[Request]) -> Work:
    """Every context once, what all contexts begin with once for all, logits where an option's token is predicted.

    For one request with a context of C tokens and K options of L tokens: C + K (L - 1) and 1 + K (L - 1), less K - 1 for
    each token that all options begin with.
    """
    shared = len(shared_beginning(requests))
    new = sum(
        sum(len(option) - 1 for option in request.options) - len(request.opening) * (len(request.options) - 1)
        for request in requests
    )
    return Work(shared + sum(len(request.context) - shared for request in requests) + new, len(requests) + new)


def plain_work(requests: Sequence[Request]) -> Work:
    """Every option with its context and logits of every token, as the harness: K (C + L - 1) of both.

    The harness reads equal inputs once, so that letters as answers cost one row; padding is not counted.
    """
    rows = {(*request.context, *option[:-1]) for request in requests for option in request.options}
    tokens = sum(map(len, rows))
    return Work(tokens, tokens)


@dataclass(frozen=True)
class Weights:
    """Weights of a model that multiply every token: in the layers, adapters included, and in the head."""

    body: int
    head: int

    @classmethod
    def of(cls, model: Any) -> Weights:
        head = model.get_output_embeddings()
        linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module is not head]
        return cls(sum(module.weight.numel() for module in linear), head.weight.numel())

    def flops(self, work: Work) -> int:
        return 2 * (self.body * work.body + self.head * work.head)

    def limit(self, requests: Sequence[Request]) -> float:
        """How many times faster than the plain way arithmetic alone allows."""
        return self.flops(plain_work(requests)) / self.flops(least_work(requests))


def product_rate(device: torch.device, dtype: torch.dtype, size: int, repeats: int = 5) -> float:
    """FLOP/s of the product of two large square matrices of random numbers: the best of a few runs."""
    a = torch.randn(size, size, device=device, dtype=dtype)
    b = torch.randn(size, size, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(repeats + 2):
        started = _now(device)
        a @ b
        best = min(best, _now(device) - started)
    return 2 * size**3 / best


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
