"""``crossgraft check --doctor``: can this model's numbers be trusted, before anything is measured with them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.adapters.bases.loading import device_of, load_model, load_tokenizer, quiet
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.check.run import size
from crossgraft.adapters.engine.evaluation import prepare
from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.engine.selftest import probe_requests
from crossgraft.adapters.items.encoding import Reading, encode
from crossgraft.adapters.items.selection import items_to_test
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.weights.lora import fresh_adapter
from crossgraft.core import Check, Point
from crossgraft.study import Origin


def examine(asked: Model, device: str, study: AdapterSpec | None = None) -> Iterator[Check]:
    """Every check for a model, and for the targets of a study that asks something of it."""
    with quiet():
        tokenizer = load_tokenizer("base", asked, Origin())
        model = load_model("base", asked, Origin(), "sdpa", device_of(device))
    reading = Reading(chat=asked.chat, system=asked.system)
    yield _vocabulary(model, tokenizer)
    engine = LocalEngine(model, tokenizer)
    yield from _paths(engine, asked.dtype)
    yield _batches(model, engine)
    yield _zero_adapter(model, engine)
    yield _beginning(tokenizer, reading)
    near: list[NearTies] = []
    shown = {target: items_to_test(study, target) for target in study.targets} if study is not None else {}
    for target, items in shown.items():
        choices = [item for item in items if isinstance(item, Item)]
        if choices:
            yield _target(target, choices, tokenizer, reading, engine.window)
            near.append(_near_ties(target, choices[:_COUNTED], tokenizer, reading, engine))
            yield near[-1].finding(asked.dtype)
    yield _dtype(model, asked.dtype, engine.noise, near)


_COUNTED = 100  # items a target whose near-ties are counted
_LOUD = 0.01  # nats an option: more noise than that is worth a look where nothing tells what it does
_MANY = 0.02  # share of near-ties that is worth one


@dataclass(frozen=True)
class NearTies:
    """Items of a target whose two best options are nearer than twice the noise: any other batch may turn them round."""

    target: Point
    ties: int
    items: int

    @property
    def share(self) -> float:
        return self.ties / self.items

    def finding(self, dtype: str) -> Check:
        saw = (
            f"{self.ties} of {self.items} items ({self.share:.1%}) have their two best options within the noise of {dtype}: "
            f"up to {100 * self.share:.1f} pp of any change"
        )
        return Check(f"near-ties, {self.target}", self.share <= _MANY, saw)


def _near_ties(target: Point, items: Sequence[Item], tokenizer: Any, reading: Reading, engine: LocalEngine) -> NearTies:
    """By the sums of log-likelihoods, as ``accuracy`` compares them."""
    prepared = prepare(tokenizer, items, reading, engine.window, target.lang)
    loglik = finished(prepared.answer(engine)).answers.columns["loglik"]
    ordered = np.sort(np.where(np.isnan(loglik), -np.inf, loglik), axis=1)
    return NearTies(target, int((ordered[:, -1] - ordered[:, -2] <= 2 * engine.noise).sum()), len(items))


def _dtype(model: Any, dtype: str, noise: float, near: Sequence[NearTies]) -> Check:
    """What the numbers are computed in, the noise that means, and what another dtype would cost."""
    exact = f"float32 weights take {size(model.num_parameters() * 4)}"
    if dtype == "float32":
        return Check(
            "dtype", noise <= _LOUD, f"float32, exact to {noise:.1g} nats an option; {exact}, bfloat16 half of it"
        )
    ties, items = sum(near_ties.ties for near_ties in near), sum(near_ties.items for near_ties in near)
    does = (
        f"{ties} of {items} items ({ties / items:.1%}) are near-ties, so up to {100 * ties / items:.1f} pp of a change may be noise"
        if items
        else f"options nearer than {2 * noise:.2g} nats are a coin flip; name targets with --on to count them"
    )
    fine = ties <= _MANY * items if items else noise <= _LOUD
    return Check(
        "dtype",
        fine,
        f"{dtype}: an option moves by up to {noise:.2g} nats with its company; {does}; --dtype float32 takes that away ({exact})",
    )


def _vocabulary(model: Any, tokenizer: Any) -> Check:
    rows, words = model.get_input_embeddings().weight.shape[0], len(tokenizer)
    saw = f"{rows} embeddings for {words} tokens"
    if rows > words:
        saw += f"; the {rows - words} padding rows stay for base and adapters alike"
    return Check("vocabulary", rows >= words, saw)


def _paths(engine: LocalEngine, dtype: str) -> Iterator[Check]:
    test = engine.test
    as_exact = "" if dtype == "float32" else f"as exact as {dtype} allows, "
    for trial in test.trials:
        chosen = trial.path == test.path.name
        outcome = trial.why or f"{as_exact}largest difference {trial.largest:.1e} nats an option"
        yield Check(f"shared = plain, {trial.path}", trial.passed, f"{outcome}{'; used' if chosen else '; not used'}")


def _batches(model: Any, engine: LocalEngine) -> Check:
    """Each request in its own batch, against all in one."""
    requests = probe_requests(model)
    together = finished(engine.score(requests)).loglik
    alone = np.full_like(together, np.nan)
    for place, request in enumerate(requests):
        alone[place, : len(request.options)] = finished(engine.score([request])).loglik[0]
    difference = float(np.nanmax(np.abs(together - alone)))
    return Check(
        "batch of one = batch of n", difference <= max(1e-4, 2 * engine.noise), f"within {difference:.1e} nats"
    )


def _zero_adapter(model: Any, engine: LocalEngine) -> Check:
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
    return Check("zero adapter = zero", difference == 0, saw)


def _beginning(tokenizer: Any, reading: Reading) -> Check:
    code = encode(tokenizer, Item("probe", "A question?", (" yes", " no"), 0), reading)
    who = "the chat template or the tokenizer" if reading.chat else "the tokenizer"
    saw = {0: f"none: {who} puts none", 1: f"exactly one, put by {who}"}.get(code.bos, f"{code.bos} in a row")
    return Check("beginning of sequence", code.bos <= 1, saw)


def _target(target: Point, items: Sequence[Item], tokenizer: Any, reading: Reading, window: int) -> Check:
    codes = [encode(tokenizer, item, reading) for item in items]
    shifted = sum(code.shifted for code in codes)
    cut = sum(bool(window) and max(map(len, code.options)) > window for code in codes)
    tokens = np.mean([len(code.options[0]) for code in codes])
    saw = f"{len(codes)} items of {tokens:.0f} tokens; a token spans prompt and option in {shifted}; {cut} cut to the window"
    return Check(f"items, {target}", shifted <= 0.05 * len(codes) and cut == 0, saw)
