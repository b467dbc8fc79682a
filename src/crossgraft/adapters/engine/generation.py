"""Greedy answers in batches: padded on the left, each row until its own end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from crossgraft.adapters.engine import Steps, Written
from crossgraft.adapters.engine.scorer import is_out_of_memory
from crossgraft.adapters.tasks import Generation
from crossgraft.errors import JobFailed

_TAIL = 8  # tokens of an answer beyond the longest stop text that are looked at after every step


class _Stops(StoppingCriteria):  # type: ignore[misc]
    """Ends each row by itself, once one of the texts to stop at is in what it wrote."""

    def __init__(self, tokenizer: Any, stop: Sequence[str], begin: int) -> None:
        self._tokenizer = tokenizer
        self._stop = stop
        self._begin = begin
        self._tail = _TAIL + max(map(len, stop), default=0)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002
        tails = input_ids[:, max(self._begin, input_ids.shape[1] - self._tail) :]
        texts = self._tokenizer.batch_decode(tails, skip_special_tokens=False)
        ended = [any(stop in text for stop in self._stop) for text in texts]
        return torch.tensor(ended, dtype=torch.bool, device=input_ids.device)


def generate(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], how: Generation, *, budget: int
) -> Generator[Steps, None, Written]:
    """What the model writes after each prompt, yielding prompts done and total.

    Batches hold ``budget`` tokens, prompts and answers together, and are halved when memory runs out.
    """
    texts: dict[int, str] = {}
    cut: dict[int, bool] = {}
    pending = _batches(prompts, how, budget)
    while pending:
        batch = pending.pop(0)
        try:
            written = _write(model, tokenizer, [prompts[n] for n in batch], how)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise JobFailed(
                    f"out of memory on {model.device} while writing a single answer after {len(prompts[batch[0]])} tokens"
                ) from error
            pending = [batch[: len(batch) // 2], batch[len(batch) // 2 :], *pending]
            continue
        for n, (text, is_cut) in zip(batch, written, strict=True):
            texts[n], cut[n] = text, is_cut
        yield len(texts), len(prompts)
    return Written(tuple(texts[n] for n in range(len(prompts))), tuple(cut[n] for n in range(len(prompts))))


def _batches(prompts: Sequence[Sequence[int]], how: Generation, budget: int) -> list[list[int]]:
    """Prompts of like length together, the longest first."""
    batches: list[list[int]] = []
    for n in sorted(range(len(prompts)), key=lambda n: (-len(prompts[n]), n)):
        if batches:
            width = len(prompts[batches[-1][0]]) + how.max_tokens
            if (len(batches[-1]) + 1) * width <= budget:
                batches[-1].append(n)
                continue
        batches.append([n])
    return batches


def _write(model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], how: Generation) -> list[tuple[str, bool]]:
    eos = tokenizer.eos_token_id
    pad = next((one for one in (tokenizer.pad_token_id, eos) if one is not None), 0)
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    config = GenerationConfig(
        max_new_tokens=how.max_tokens, do_sample=False, num_beams=1, pad_token_id=pad, eos_token_id=eos
    )
    stops = StoppingCriteriaList([_Stops(tokenizer, how.stop, width)] if how.stop else [])
    with torch.inference_mode(), _neutral(model, config):
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=config,
            stopping_criteria=stops,
        )
    return [_end(tokenizer, row, how, eos) for row in out[:, width:].tolist()]


@contextmanager
def _neutral(model: Any, config: GenerationConfig) -> Iterator[None]:
    """Whatever a call leaves open, Transformers takes from the model's folder: sampling, penalties, beams.

    Those are for chats, not for measuring, so the model's own configuration is put aside.
    """
    own = model.generation_config
    model.generation_config = config
    try:
        yield
    finally:
        model.generation_config = own


def _end(tokenizer: Any, ids: list[int], how: Generation, eos: int | None) -> tuple[str, bool]:
    """The answer up to its end, and whether it had none."""
    ended = eos in ids
    if ended:
        ids = ids[: ids.index(eos)]  # type: ignore[arg-type]
    text = tokenizer.decode(ids, skip_special_tokens=True)
    places = [text.index(stop) for stop in how.stop if stop in text]
    if places:
        text = text[: min(places)]
    return text.strip(), not ended and not places and len(ids) >= how.max_tokens
