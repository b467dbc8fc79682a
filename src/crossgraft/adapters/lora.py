"""One LoRA adapter by PEFT: AdamW, linear decay after a warm-up, loss on the answer or on all tokens."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict

from crossgraft.adapters.encoding import Reading, encode
from crossgraft.adapters.models import weight_shapes
from crossgraft.adapters.recipe import Recipe
from crossgraft.adapters.tasks import AnyItem, Item, OpenItem, TextItem
from crossgraft.errors import DataError, JobFailed

FACTS = "training.json"


@dataclass(frozen=True)
class Example:
    """A training text: prompt and right option; the loss counts tokens from ``start`` on."""

    ids: tuple[int, ...]
    start: int


@dataclass(frozen=True)
class Trained:
    """What a training run did, for the record."""

    steps: int
    tokens: int
    losses: tuple[float, ...]  # a step, mean over the tokens that count


def examples(tokenizer: Any, items: Sequence[AnyItem], reading: Reading, recipe: Recipe) -> list[Example]:
    """The right answer after its prompt, tokenised exactly as it is evaluated."""
    found = []
    for item in items:
        if isinstance(item, TextItem):
            raise DataError("a running text cannot be trained on as a source of questions and answers")
        if isinstance(item, OpenItem):
            item = Item(item.id, item.prompt, (item.answer,), 0, item.shots)
        code = encode(tokenizer, item, reading)
        found.append(Example(code.options[item.gold], 1 if recipe.loss_on == "all" else code.start))
    return found


@contextmanager
def fresh_adapter(model: Any, recipe: Recipe, seed: int) -> Iterator[PeftModel]:
    """The model with an untrained adapter around it, and without it again afterwards."""
    targets: Any = "all-linear" if recipe.targets == ("all-linear",) else list(recipe.targets)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,  # PEFT scales by alpha / r
        lora_dropout=recipe.dropout,
        target_modules=targets,
    )
    with _seeded(seed, model.device):
        try:
            with _without_deprecations():
                wrapped = get_peft_model(model, config)
        except ValueError as error:
            modules = sorted({name.rpartition(".")[2] for name, _ in _linear_modules(model)})
            raise DataError(
                f"recipe.targets {list(recipe.targets)} match nothing in this model; its linear modules are "
                f"{', '.join(modules)}"
            ) from error
    try:
        yield wrapped
    finally:
        _unwrap(wrapped)


@contextmanager
def saved_adapter(model: Any, folder: Path) -> Iterator[PeftModel]:
    """The model with a saved adapter around it, and without it again afterwards."""
    _check_vocabulary(model, folder)
    try:
        with _without_deprecations(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found missing adapter keys")  # told below, as an error
            wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()
        raise DataError(f"the adapter in {folder} does not fit the model: {' '.join(reason[:2])[:300]}") from error
    try:
        _check_applied(wrapped, folder)
        yield wrapped.eval()
    finally:
        _unwrap(wrapped)


def _check_vocabulary(model: Any, folder: Path) -> None:
    """An adapter that brings embeddings of its own must have as many as the base."""
    embeddings = model.get_input_embeddings().weight
    for name, shape in weight_shapes(folder):
        whole = name.endswith(
            ("embed_tokens.weight", "lm_head.weight", "wte.weight", "embed_in.weight", "embed_out.weight")
        )
        if whole and shape[0] != embeddings.shape[0]:
            raise DataError(
                f"the adapter in {folder} brings embeddings for {shape[0]} tokens, the model has {embeddings.shape[0]}: its "
                "base was resized before training; give that resized model as the base"
            )


def _check_applied(wrapped: PeftModel, folder: Path) -> None:
    """PEFT drops weights that match no module without an error; an adapter half applied is another adapter."""
    if wrapped.active_peft_config.is_prompt_learning:
        kind = str(wrapped.active_peft_config.peft_type).rpartition(".")[2]
        raise DataError(f"expected an adapter that changes weights, such as LoRA; {folder} holds one of type {kind}")
    there = {name for name, _ in weight_shapes(folder)}
    expected = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    lost = sorted(name for name in there if "lora_" in name and name not in expected)
    absent = sorted(expected - there)
    if lost or absent:
        what = (
            f"{len(lost)} of its weights (such as {lost[0]}) match no module"
            if lost
            else (f"it lacks {len(absent)} of the weights its configuration asks for (such as {absent[0]})")
        )
        raise DataError(f"the adapter in {folder} does not fit the model: {what}; was it trained on another base?")


@contextmanager
def merged(wrapped: PeftModel) -> Iterator[None]:
    """The adapter added into float32 weights, which are put back to the last bit afterwards."""
    layers = [module for module in wrapped.modules() if hasattr(module, "base_layer") and hasattr(module, "merge")]
    kept = [layer.base_layer.weight.detach().clone() for layer in layers]
    wrapped.merge_adapter()
    try:
        yield
    finally:
        wrapped.unmerge_adapter()
        with torch.no_grad():
            for layer, weight in zip(layers, kept, strict=True):
                layer.base_layer.weight.copy_(weight)


@contextmanager
def _without_deprecations() -> Iterator[None]:
    """PEFT asks Transformers for attributes that it is about to rename: nothing a user could mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _unwrap(wrapped: PeftModel) -> None:
    """Take the adapter's layers out; the base keeps its own modules and weights."""
    base = wrapped.unload()
    if hasattr(base, "peft_config"):
        del base.peft_config  # or PEFT would warn that the model is adapted a second time
    base.eval().requires_grad_(False)


def _linear_modules(model: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """PEFT and dropout draw from the global generator: it is seeded here, and restored."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def train(
    wrapped: PeftModel, data: Sequence[Example], recipe: Recipe, seed: int
) -> Generator[tuple[int, int], None, Trained]:
    """Train the adapter in place, yielding steps done and total; returns what it did.

    The same seed on the same machine, with the same number of threads, gives the same adapter.
    """
    per_epoch = ceil(len(data) / recipe.batch)
    total = recipe.steps or recipe.epochs * per_epoch
    weights = [weight for weight in wrapped.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: _rate(done, total, recipe.warmup))
    losses: list[float] = []
    tokens = 0
    wrapped.train()
    with _seeded(seed, wrapped.device):
        for number, batch in enumerate(_batches(data, recipe.batch, total, seed), 1):
            loss = _loss(wrapped, batch)
            if not torch.isfinite(loss):
                raise JobFailed(
                    f"training diverged: the loss of step {number} of {total} is {float(loss.detach())}; "
                    f"lower recipe.learning_rate ({recipe.learning_rate:g})",
                    deterministic=True,
                )
            loss.backward()
            if recipe.clip:
                torch.nn.utils.clip_grad_norm_(weights, recipe.clip)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
            tokens += sum(len(example.ids) for example in batch)
            yield number, total
    wrapped.eval()
    if not all(torch.isfinite(weight).all() for weight in weights):
        raise JobFailed("training diverged: the adapter has weights that are not finite", deterministic=True)
    return Trained(len(losses), tokens, tuple(losses))


def _rate(done: int, total: int, warmup: float) -> float:
    """Share of the learning rate: rises over the warm-up, then falls to 0 at the end."""
    rising = ceil(total * warmup)
    if done < rising:
        return done / max(1, rising)
    return max(0.0, (total - done) / max(1, total - rising))


def _batches(data: Sequence[Example], size: int, total: int, seed: int) -> Iterator[list[Example]]:
    """Epoch after epoch in a new order, until the steps are done."""
    made = 0
    epoch = 0
    while made < total:
        order = np.random.default_rng([seed, epoch]).permutation(len(data))
        for start in range(0, len(data), size):
            if made == total:
                return
            yield [data[place] for place in order[start : start + size]]
            made += 1
        epoch += 1


def _loss(model: Any, batch: Sequence[Example]) -> torch.Tensor:
    """Cross-entropy, mean over the tokens that count in the batch; padding on the right, masked."""
    width = max(len(example.ids) for example in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for row, example in enumerate(batch):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        labels[row, example.start : length] = ids[row, example.start : length]
    device = model.device
    logits = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten().to(device), ignore_index=-100
    )


def save(wrapped: PeftModel, folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the adapter as a plain PEFT folder that appears as a whole or not at all.

    ``facts`` about its training lie beside it, so that targets evaluated by a later run know them too.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".", suffix=".partial", dir=folder.parent))
    try:
        wrapped.save_pretrained(str(partial))
        (partial / FACTS).write_text(json.dumps(facts), "utf-8")
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process has just saved the same adapter
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
