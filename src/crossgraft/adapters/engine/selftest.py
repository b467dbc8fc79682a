"""Before a model is scored in a clever way: does it give the same numbers as the plain one?"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from crossgraft.adapters.engine.likelihoods import log_likelihoods
from crossgraft.adapters.engine.paths import Path
from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.core import Floats
from crossgraft.errors import JobFailed

EXACT = 2e-4  # nats an option, in float32
DOUBTFUL = ("mps",)  # types of devices on which others measured wrong scores
_SHAPES = ((23, (3, 1, 4)), (41, (2, 5, 1, 1)), (60, (4, 4, 2)))  # tokens of context, and of each option


@dataclass(frozen=True)
class Trial:
    """A way that was tried: the largest and the mean difference from the plain way, in nats an option."""

    path: str
    largest: float
    mean: float
    passed: bool
    why: str = ""


@dataclass(frozen=True)
class SelfTest:
    """The way that was chosen, what it was compared with, and how much this model's numbers move by themselves.

    ``noise`` is the largest difference between an option read alone and in the chosen way.
    """

    path: Path
    trials: tuple[Trial, ...]
    noise: float
    tokens: int  # of the longest row

    def lines(self) -> tuple[str, ...]:
        return tuple(
            f"{trial.path}: {'as plain rows' if trial.passed else 'not used'}"
            + (f", {trial.why}" if trial.why else f", largest difference {trial.largest:.1e} nats")
            for trial in self.trials
        )


def self_test(model: Any, candidates: Sequence[Path]) -> SelfTest:
    """The first of the candidates that agrees with one option after another, each read alone.

    Requests are random tokens with a shared beginning; one is longer than any sliding window of the model. On a
    doubtful device that one option after another is read on the CPU.
    """
    requests = probe_requests(model)
    with torch.inference_mode():
        oracle = _oracle(model)
        expected = _one_by_one(oracle, requests)
        swing = _swing(oracle, requests, expected)
        del oracle
        trials: list[Trial] = []
        for path in candidates:
            trial = _trial(path, model, requests, expected, swing)
            trials.append(trial)
            if trial.passed:
                longest = max(len(request.context) for request in requests)
                return SelfTest(path, tuple(trials), trial.largest, longest)
    told = "; ".join(f"{trial.path}: {trial.why or f'{trial.largest:.2g} nats'}" for trial in trials)
    if model.device.type in DOUBTFUL:
        raise JobFailed(
            f"this model gives other log-likelihoods on {model.device.type} than on the CPU ({told}), so its scores there are "
            "wrong; use --device cpu",
            deterministic=True,
        )
    raise JobFailed(
        f"this model gives other log-likelihoods in batches than one text at a time ({told}), so its scores would depend on "
        'their company; try attention = "eager" or another dtype',
        deterministic=True,
    )


def _oracle(model: Any) -> Any:
    """The model whose plain numbers count: itself, or its copy on the CPU where the device is known for wrong ones."""
    return copy.deepcopy(model).to("cpu") if model.device.type in DOUBTFUL else model


def probe_requests(model: Any) -> list[Request]:
    """Random tokens, the same at every call: contexts with a beginning they share, some options too; one text goes beyond
    any sliding window.
    """
    text = model.config.get_text_config(decoder=True)
    most = int(getattr(text, "max_position_embeddings", 0) or 0) or 2**30
    rng = np.random.default_rng(0)

    def drawn(count: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(text.vocab_size, size=count))

    shapes = [*_SHAPES]
    window = getattr(text, "sliding_window", None)
    if window and window < most - 40:
        shapes.append((window + 24, (9, 2)))
    beginning = drawn(18)
    room = most - max(max(options) for _, options in shapes[: len(_SHAPES)])
    requests = []
    for context, options in shapes:
        opening = drawn(min(options) - 1)
        own = tuple(opening + drawn(n - len(opening)) for n in options)
        requests.append(Request((beginning + drawn(context - len(beginning)))[: max(1, room)], own))
    return requests


def _one_by_one(model: Any, requests: Sequence[Request]) -> Floats:
    """The oracle: every option alone, the whole model, no mask, no cache."""
    return np.array([_alone(model, request.context, option) for request in requests for option in request.options])


def _alone(model: Any, context: Sequence[int], option: Sequence[int]) -> float:
    ids = torch.tensor([[*context, *option]], device=model.device)
    logits = model(input_ids=ids, use_cache=False).logits[0, len(context) - 1 : -1]
    logprobs = torch.log_softmax(logits.float(), dim=-1)
    return float(logprobs.gather(1, ids[0, len(context) :, None]).cpu().double().sum())


def _swing(model: Any, requests: Sequence[Request], expected: Floats) -> float:
    """How far numbers of this dtype move when a text is read in the company of a shorter one: 0 for none.

    In half precision this, not exactness, is the measure of what a clever way may differ by.
    """
    if model.dtype == torch.float32:
        return 0.0
    request = max(requests, key=lambda one: len(one.context))
    ids = torch.tensor([[*request.context, *request.options[0]]] * 3, device=model.device)
    logits = model(input_ids=ids, use_cache=False).logits[0, len(request.context) - 1 : -1]
    logprobs = torch.log_softmax(logits.float(), dim=-1)
    together = float(logprobs.gather(1, ids[0, len(request.context) :, None]).cpu().double().sum())
    place = sum(len(one.options) for one in requests[: requests.index(request)])
    return abs(together - float(expected[place]))


def _trial(path: Path, model: Any, requests: Sequence[Request], expected: Floats, swing: float) -> Trial:
    tokens = np.array([len(option) for request in requests for option in request.options])
    try:
        found = _scored_by(path, requests)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Trial(path.name, float("nan"), float("nan"), passed=False, why=f"refused: {reason[:120]}")
    difference = np.abs(found - expected)
    if model.dtype == torch.float32:
        passed = bool((difference <= EXACT * np.maximum(1.0, np.abs(expected) / 100)).all())
    else:
        eps = torch.finfo(model.dtype).eps
        passed = bool((difference <= 4 * swing + 8 * eps * (tokens + np.abs(expected))).all())
    return Trial(path.name, float(difference.max()), float(difference.mean()), passed)


def _scored_by(path: Path, requests: Sequence[Request]) -> Floats:
    """By the path: all requests in one batch, with what they share read once where the path can."""
    beginning = shared_beginning(requests)
    kept = path.keep(beginning) if beginning else None
    return log_likelihoods(path.body, path.read(requests, kept), sum(len(request.options) for request in requests))
