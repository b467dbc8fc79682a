"""Log-likelihood of each option, done plainly: one option, one forward pass, float32.

This is the oracle that any faster engine must agree with.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from crossgraft.adapters.tasks import Item
from crossgraft.core import Answers
from crossgraft.errors import DataError, JobFailed


@dataclass(frozen=True, slots=True)
class Encoded:
    """An item as tokens. Scored are the tokens from ``start`` on; before it all options agree."""

    options: tuple[tuple[int, ...], ...]  # the whole text of prompt and option, each
    start: int
    shifted: bool  # the prompt's own tokens change when an option follows
    bos: int  # beginning-of-sequence tokens in front, 0 or 1


def encode(tokenizer: Any, item: Item) -> Encoded:
    """Prompt and option are tokenised as one text, because that is the text.

    Where a token spans the boundary, scoring begins at the longest token prefix that the prompt
    and all its options share. That scores a few characters of the prompt too, the same for every
    option; cutting at the prompt's own tokens would score a text nobody wrote.
    """
    bos = _bos(tokenizer)
    prompt = (*bos, *_tokens(tokenizer, item.prompt))
    options = tuple((*bos, *_tokens(tokenizer, item.prompt + option)) for option in item.options)
    start = min(_shared_prefix(prompt, option) for option in options)
    if start == 0:
        raise DataError(f"item {item.id!r}: there is no token before the options; the prompt needs some text")
    for text, option in zip(item.options, options, strict=True):
        if len(option) <= start:
            raise DataError(f"item {item.id!r}: the option {text!r} adds no token to the prompt")
    return Encoded(options, start, shifted=start < len(prompt), bos=len(bos))


def _tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _bos(tokenizer: Any) -> tuple[int, ...]:
    """The beginning-of-sequence token, if this tokenizer puts one in front of a text."""
    first = tokenizer("a")["input_ids"][:1]
    return (first[0],) if first and first[0] == tokenizer.bos_token_id else ()


def _shared_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    for position, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return position
    return min(len(first), len(second))


@dataclass(frozen=True)
class Scored:
    """The answers of a set of items, and what happened to their texts on the way."""

    answers: Answers
    shifted: int  # items whose boundary was moved
    truncated: int  # items cut on the left to fit the model's window


def score_items(
    model: Any, items: Sequence[Item], encoded: Sequence[Encoded]
) -> Generator[tuple[int, int], None, Scored]:
    """Summed log-likelihoods of every option of every item, yielding items done and total."""
    window = int(getattr(model.config, "max_position_embeddings", 0) or 0)
    width = max(len(item.options) for item in items)
    loglik, tokens, characters, sizes = (np.full((len(items), width), np.nan) for _ in range(4))
    truncated = 0
    for place, (item, code) in enumerate(zip(items, encoded, strict=True)):
        cut = False
        for number, (text, option) in enumerate(zip(item.options, code.options, strict=True)):
            ids, start = _fit(option, code, window, item)
            cut |= len(ids) < len(option)
            loglik[place, number] = _loglik(model, ids, start)
            tokens[place, number] = len(option) - code.start
            characters[place, number] = len(text.strip())
            sizes[place, number] = len(text.strip().encode())
        truncated += cut
        if not np.isfinite(loglik[place, : len(item.options)]).all():
            raise JobFailed(
                f"the model gives no finite likelihood for item {item.id!r}: {loglik[place].tolist()}",
                deterministic=True,
            )
        yield place + 1, len(items)
    answers = Answers(
        "choice",
        tuple(item.id for item in items),
        {
            "loglik": loglik,
            "gold": np.array([item.gold for item in items], dtype=np.int64),
            "tokens": tokens,
            "characters": characters,
            "bytes": sizes,
        },
    )
    return Scored(answers, sum(code.shifted for code in encoded), truncated)


def _fit(option: tuple[int, ...], code: Encoded, window: int, item: Item) -> tuple[tuple[int, ...], int]:
    """The tokens that fit the window, and where scoring starts in them; the far past is dropped first."""
    surplus = len(option) - window if window else 0
    if surplus <= 0:
        return option, code.start
    if surplus >= code.start - code.bos:
        raise DataError(
            f"item {item.id!r}: an option of {len(option) - code.start} tokens leaves no room for the "
            f"prompt in the model's window of {window} tokens"
        )
    return (*option[: code.bos], *option[code.bos + surplus :]), code.start - surplus


def _loglik(model: Any, ids: Sequence[int], start: int) -> float:
    """Σ log p(token | all before), over the tokens from ``start`` on; softmax in float32, sum in float64."""
    with torch.inference_mode():
        inputs = torch.tensor([ids], device=model.device)
        logits = model(input_ids=inputs, use_cache=False).logits[0, start - 1 : -1]
        logprobs = torch.log_softmax(logits.float(), dim=-1)
        chosen = logprobs.gather(1, inputs[0, start:, None])
        return float(chosen.double().sum())


def show(code: Encoded, item: Item, tokenizer: Any) -> Iterator[tuple[str, str]]:
    """The tokens of the context and of each option, for ``preview``."""
    context = tokenizer.convert_ids_to_tokens(list(code.options[0][: code.start]))
    yield "context tokens", f"{len(context)}: … {' '.join(context[-8:])}"
    for text, option in zip(item.options, code.options, strict=True):
        pieces = tokenizer.convert_ids_to_tokens(list(option[code.start :]))
        yield f"option {text!r}", f"{len(pieces)} scored: {' '.join(pieces)}"
    if code.shifted:
        yield "boundary", "a token spans prompt and option; scoring begins before it, the same for all options"
