"""``crossgraft check --doctor``: can this model's numbers be trusted, before anything is measured with them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.adapters.encoding import Reading, encode
from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.engine.selftest import probe_requests
from crossgraft.adapters.loading import device_of, load_model, load_tokenizer, quiet
from crossgraft.adapters.lora import fresh_adapter
from crossgraft.adapters.models import Model
from crossgraft.adapters.recipe import Recipe
from crossgraft.adapters.shown import items_to_test
from crossgraft.adapters.study import AdapterStudy
from crossgraft.adapters.tasks import AnyItem, Item
from crossgraft.core import Point
from crossgraft.study import Origin


@dataclass(frozen=True)
class Finding:
    """One thing the doctor looked at."""

    name: str
    fine: bool
    saw: str


def examine(told: Model, device: str, study: AdapterStudy | None = None) -> Iterator[Finding]:
    """Every check for a model, and for the targets of a study that asks something of it."""
    with quiet():
        tokenizer = load_tokenizer("base", told, Origin())
        model = load_model("base", told, Origin(), "sdpa", device_of(device))
    reading = Reading(chat=told.chat, system=told.system)
    yield _vocabulary(model, tokenizer)
    engine = LocalEngine(model, tokenizer)
    yield from _paths(engine)
    yield _batches(model, engine)
    yield _zero_adapter(model, engine)
    yield _beginning(tokenizer, reading)
    if study is not None:
        for target in study.targets:
            yield from _target(target, items_to_test(study, target), tokenizer, reading, engine.window)


def _vocabulary(model: Any, tokenizer: Any) -> Finding:
    rows, words = model.get_input_embeddings().weight.shape[0], len(tokenizer)
    saw = f"{rows} embeddings for {words} tokens"
    if rows > words:
        saw += f"; the {rows - words} padding rows stay for base and adapters alike"
    return Finding("vocabulary", rows >= words, saw)


def _paths(engine: LocalEngine) -> Iterator[Finding]:
    test = engine.test
    for trial in test.trials:
        chosen = trial.path == test.path.name
        outcome = trial.why or f"largest difference {trial.largest:.1e} nats an option"
        yield Finding(f"shared = plain, {trial.path}", trial.passed, f"{outcome}{'; used' if chosen else '; not used'}")


def _batches(model: Any, engine: LocalEngine) -> Finding:
    """Each request in its own batch, against all in one."""
    requests = probe_requests(model)
    together = finished(engine.score(requests)).loglik
    alone = np.full_like(together, np.nan)
    for place, request in enumerate(requests):
        alone[place, : len(request.options)] = finished(engine.score([request])).loglik[0]
    difference = float(np.nanmax(np.abs(together - alone)))
    return Finding(
        "batch of one = batch of n", difference <= max(1e-4, 2 * engine.noise), f"within {difference:.1e} nats"
    )


def _zero_adapter(model: Any, engine: LocalEngine) -> Finding:
    """An untrained adapter multiplies by zero: nothing may change, to the last bit."""
    with fresh_adapter(model, Recipe(), seed=0) as wrapped:
        wrapped.eval()
        switched_on = engine.probe()
        with wrapped.disable_adapter():
            difference = engine.probe_difference(switched_on)
    saw = (
        "no bit changes"
        if difference == 0
        else f"changes up to {difference:.1e} nats: no change smaller than that means anything"
    )
    return Finding("zero adapter = zero", difference == 0, saw)


def _beginning(tokenizer: Any, reading: Reading) -> Finding:
    code = encode(tokenizer, Item("probe", "A question?", (" yes", " no"), 0), reading)
    who = "the chat template or the tokenizer" if reading.chat else "the tokenizer"
    saw = {0: f"none: {who} puts none", 1: f"exactly one, put by {who}"}.get(code.bos, f"{code.bos} in a row")
    return Finding("beginning of sequence", code.bos <= 1, saw)


def _target(
    target: Point, items: Sequence[AnyItem], tokenizer: Any, reading: Reading, window: int
) -> Iterator[Finding]:
    choices = [item for item in items if isinstance(item, Item)]
    if not choices:
        return
    codes = [encode(tokenizer, item, reading) for item in choices]
    shifted = sum(code.shifted for code in codes)
    cut = sum(bool(window) and max(map(len, code.options)) > window for code in codes)
    tokens = np.mean([len(code.options[0]) for code in codes])
    saw = f"{len(codes)} items of {tokens:.0f} tokens; a token spans prompt and option in {shifted}; {cut} cut to the window"
    yield Finding(f"items, {target}", shifted <= 0.05 * len(codes) and cut == 0, saw)
