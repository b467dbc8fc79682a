"""Scoring and generation: every request at the cost of what is new in it, and the same numbers as the plain way."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.tasks import Generation
from crossgraft.core import Floats

Steps = tuple[int, int]  # done, total


@dataclass(frozen=True)
class Scores:
    """Log-likelihoods (requests, options), NaN where there are fewer options, and how they came about."""

    loglik: Floats
    path: str
    shared: int  # tokens of context that were read once for all


@dataclass(frozen=True)
class Written:
    """Answers the model wrote, and which of them were cut at the largest number of tokens."""

    texts: tuple[str, ...]
    cut: tuple[bool, ...]


class Engine(Protocol):
    """Something that reads tokens with a model: here Transformers in this process; a server could be another.

    ``window`` is the longest text in tokens, 0 for no limit; ``noise`` how much a log-likelihood moves by itself.
    """

    @property
    def window(self) -> int: ...

    @property
    def noise(self) -> float: ...

    def score(self, requests: Sequence[Request]) -> Generator[Steps, None, Scores]: ...

    def generate(self, prompts: Sequence[Sequence[int]], how: Generation) -> Generator[Steps, None, Written]: ...
