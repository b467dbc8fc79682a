"""The engine in this process: a Transformers model, with whatever adapters PEFT has put into it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import numpy as np

from crossgraft.adapters.engine import Scores, Steps, Written
from crossgraft.adapters.engine.generation import generate
from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.engine.scorer import Scorer, Way
from crossgraft.adapters.engine.selftest import SelfTest, probe_requests
from crossgraft.adapters.tasks import Generation
from crossgraft.core import Floats

T = TypeVar("T")


def finished(steps: Generator[Steps, None, T]) -> T:
    """What a generator returns once all its steps are taken."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result


_LEAST_WRITTEN = 4096  # tokens of a batch that is written: one step reads all weights for a token a row


class LocalEngine:
    """Finds out on its first use how to score on the model, and keeps that for all its adapters."""

    def __init__(self, model: Any, tokenizer: Any, *, way: Way = "auto", tokens: int = 0) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._scorer = Scorer(model, way=way, tokens=tokens)

    @property
    def window(self) -> int:
        return window_of(self._model)

    @property
    def noise(self) -> float:
        return self.test.noise

    @property
    def test(self) -> SelfTest:
        return self._scorer.test

    def score(self, requests: Sequence[Request]) -> Generator[Steps, None, Scores]:
        return (yield from self._scorer.score(requests))

    def generate(self, prompts: Sequence[Sequence[int]], how: Generation) -> Generator[Steps, None, Written]:
        return (
            yield from generate(
                self._model, self._tokenizer, prompts, how, budget=max(_LEAST_WRITTEN, self._scorer.tokens)
            )
        )

    def probe(self) -> Floats:
        """Log-likelihoods of a few texts of random tokens, to see whether a model has changed at all."""
        scores = finished(self.score(probe_requests(self._model)))
        return scores.loglik

    def probe_difference(self, before: Floats) -> float:
        """The largest difference, in nats, from what the probe gave before."""
        return float(np.nanmax(np.abs(self.probe() - before)))


def window_of(model: Any) -> int:
    """The longest text a model reads, in tokens; 0 where it names none."""
    text = model.config.get_text_config(decoder=True)
    return int(getattr(text, "max_position_embeddings", 0) or 0)
