"""Training steps on a GPU in bfloat16: the engine, with and without autocast, and TRL at the best that is installed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from step_flops import StepWeights, StepWork
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from trainers import HAS_TRL, SEEDS, Ran, Run, by_engine, by_trl
from transformers import PreTrainedTokenizerFast

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.loss import Example
from crossgraft.adapters.weights.lora import fresh_adapter

RECIPE = Recipe(learning_rate=2e-4, warmup=0.0, steps=11)  # the first is not counted
GIB = 2**30


def random_run(vocabulary: int, recipe: Recipe) -> Run:
    """As many examples of random tokens as the steps need: 60 to 140 of a prompt, 6 to 19 of an answer."""
    rng = np.random.default_rng(2)
    data = []
    for _ in range(recipe.batch * recipe.steps):
        prompt, answer = int(rng.integers(60, 141)), int(rng.integers(6, 20))
        data.append(Example(tuple(rng.integers(vocabulary, size=prompt + answer).tolist()), prompt))
    return Run(data, recipe)


@dataclass(frozen=True)
class Trained:
    """A side that was measured: its losses and seconds, and the peak of memory above what lay there, in bytes."""

    ran: Ran
    peak: float


def measured(run: Callable[[], Ran], device: torch.device) -> Trained:
    if device.type != "cuda":
        return Trained(run(), float("nan"))
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    ran = run()
    return Trained(ran, torch.cuda.max_memory_allocated(device) - before)


def sides(model: Any, run: Run) -> dict[str, Callable[[], Ran]]:
    """The engine first: TRL changes the model in place.

    TRL pads to the longest, and is padding-free; with FlashAttention and with Liger where they are installed.
    """
    autocast = replace(run, recipe=replace(run.recipe, autocast=True))
    found: dict[str, Callable[[], Ran]] = {
        "engine, exact": lambda: by_engine(model, run),
        "engine, autocast": lambda: by_engine(model, autocast),
    }
    if not HAS_TRL:
        return found
    found["TRL, padded to the longest"] = lambda: trl(model, run)
    found["TRL, padding-free"] = lambda: trl(model, run, padding_free=True)
    if importlib.util.find_spec("flash_attn") is not None:
        found["TRL, padding-free, FlashAttention"] = lambda: trl(model, run, flash=True, padding_free=True)
    if importlib.util.find_spec("liger_kernel") is not None:
        flash = importlib.util.find_spec("flash_attn") is not None
        found["TRL, padding-free, Liger"] = lambda: trl(
            model, run, flash=flash, padding_free=True, use_liger_kernel=True
        )
    return found


def trl(model: Any, run: Run, *, flash: bool = False, **options: Any) -> Ran:
    """A run of TRL, after which the model attends and answers as before. Liger's layers stay: it runs last."""
    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")), eos_token="a")
    usual = model.config._attn_implementation
    with tempfile.TemporaryDirectory() as folder:
        try:
            if flash:
                model.set_attn_implementation("flash_attention_2")
            return by_trl(lambda: model, words, run, Path(folder), **options)
        finally:
            model.set_attn_implementation(usual)
            model.__dict__.pop("forward", None)


class Lines(Protocol):
    """Where a table is written."""

    def heads(self, *cells: str) -> None: ...

    def row(self, *cells: str) -> None: ...


Attempt = Callable[[str, Callable[[], Trained]], Trained | None]


def check_training(model: Any, lines: Lines, rate: float, attempt: Attempt) -> None:
    """A table: tokens a second, share of the FLOP limit, peak memory, and how far apart the losses are."""
    run = random_run(model.config.vocab_size, RECIPE)
    with fresh_adapter(model, run.recipe, SEEDS.init) as wrapped:
        weights = StepWeights.of(wrapped)
    batches = run.batches()[1:]
    tokens = sum(len(example.ids) for batch in batches for example in batch)
    least = weights.flops(StepWork.total(StepWork.least(batch) for batch in batches))
    lines.heads(
        f"training, {len(batches)} steps of {run.recipe.batch}", "tokens/s", "least TFLOP/s", "of a large product",
        "peak GiB above weights", "max abs Δ loss to the first",
    )  # fmt: skip
    first: Ran | None = None
    for name, side in sides(model, run).items():
        found = attempt(name, lambda side=side: measured(side, model.device))
        if found is None:
            continue
        first = first or found.ran
        seconds = found.ran.cost.wall
        lines.row(
            name,
            f"{tokens / seconds:,.0f}",
            f"{least / seconds / 1e12:.3g}",
            f"{least / seconds / rate:.1%}",
            "–" if np.isnan(found.peak) else f"{found.peak / GIB:.2f}",
            f"{np.abs(np.array(found.ran.losses) - np.array(first.losses)).max():.2g}",
        )
    if not HAS_TRL:
        lines.row("TRL is not installed: pip install trl", *[""] * 5)
