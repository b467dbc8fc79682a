"""Log-likelihoods from hidden states: the head and its softmax, a tile of places and vocabulary at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from crossgraft.adapters.engine.body import Body
from crossgraft.adapters.engine.rows import Picks
from crossgraft.core import Floats

_LEAST_PLACES = 64
_TILE_BYTES = {"cpu": 2**23, "cuda": 2**29}  # of float32 logits at a time, where the head gives all of them or nothing
_PLACES = 1024  # so many share one reading of the head's weights
_ENTRIES = 512  # of the vocabulary, for each thread: a tile of 2 MiB is still in the cache when its logarithm is taken


@dataclass(frozen=True)
class Wanted:
    """What the body gave where tokens are predicted: ``tokens[m]`` follows ``states[at[m]]`` and counts for option ``owners[m]``."""

    states: torch.Tensor  # (places, …)
    at: torch.Tensor
    tokens: torch.Tensor
    owners: torch.Tensor

    @classmethod
    def of(cls, states: torch.Tensor, picks: Picks) -> Wanted:
        """Only the states that are needed, so that those of the whole batch can go."""
        there = picks.to(states.device)
        return cls(states.flatten(0, 1)[there.places], there.at, there.tokens, there.owners)

    @classmethod
    def together(cls, parts: Sequence[tuple[int, Wanted]]) -> Wanted:
        """All parts as one; each comes with what its options' numbers begin at."""
        places = np.cumsum([0, *(len(part.states) for _, part in parts)]).tolist()
        return cls(
            torch.cat([part.states for _, part in parts]),
            torch.cat([part.at + before for before, (_, part) in zip(places, parts, strict=False)]),
            torch.cat([part.tokens for _, part in parts]),
            torch.cat([part.owners + first for first, part in parts]),
        )

    def __len__(self) -> int:
        return len(self.states)


def log_likelihoods(body: Body, wanted: Wanted, count: int) -> Floats:
    """For each of so many options the sum of its tokens' log-probabilities: log-softmax in float32, sums in float64."""
    logprobs = torch.empty(len(wanted.tokens), dtype=torch.float32, device=wanted.states.device)
    size, entries = _tile(body, wanted.states.device)
    starts = torch.searchsorted(wanted.at, torch.arange(len(wanted) + 1, device=wanted.at.device)).tolist()
    for first in range(0, len(wanted), size):
        last = min(first + size, len(wanted))
        mine = slice(starts[first], starts[last])
        states, at = wanted.states[first:last], wanted.at[mine] - first
        logprobs[mine] = _logprobs(body, states, at, wanted.tokens[mine], entries)
    weights: Floats = logprobs.cpu().double().numpy()
    return np.asarray(np.bincount(wanted.owners.cpu().numpy(), weights, count), dtype=np.float64)


def _logprobs(
    body: Body, states: torch.Tensor, at: torch.Tensor, tokens: torch.Tensor, entries: int | None
) -> torch.Tensor:
    """Of ``tokens[m]`` after ``states[at[m]]``: its logit, less the logarithm of the sum over the vocabulary."""
    if entries is None:
        logits = body.logits(states)
        return logits[at, tokens] - torch.logsumexp(logits, dim=-1)[at]
    picked = torch.empty(len(tokens), dtype=torch.float32, device=states.device)
    sums = []
    for part in _parts(body.vocabulary, entries):
        logits = body.logits(states, part)
        here = ((tokens >= part.start) & (tokens < part.stop)).nonzero()[:, 0]
        picked[here] = logits[at[here], tokens[here] - part.start]
        sums.append(torch.logsumexp(logits, dim=-1))
    return picked - torch.logsumexp(torch.stack(sums), dim=0)[at]


def _parts(vocabulary: int, entries: int) -> Iterator[slice]:
    return (slice(first, min(first + entries, vocabulary)) for first in range(0, vocabulary, entries))


def _tile(body: Body, device: torch.device) -> tuple[int, int | None]:
    """Places and entries of the vocabulary at a time; None is all entries, as GPUs and heads that cannot be cut take them."""
    if device.type == "cpu" and body.head_can_be_cut:
        return _PLACES, _ENTRIES * torch.get_num_threads()
    return max(_LEAST_PLACES, _TILE_BYTES.get(device.type, 2**26) // (4 * body.vocabulary)), None
