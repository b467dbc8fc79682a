"""Adapters by PEFT: made, saved as plain PEFT folders, read back, merged and unmerged."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers.pytorch_utils import Conv1D

from crossgraft.adapters.kept import FACTS
from crossgraft.adapters.models import weight_shapes
from crossgraft.adapters.recipe import Recipe
from crossgraft.errors import DataError, did_you_mean
from crossgraft.files import whole_folder
from crossgraft.seals import seal_folder

_EMBEDDINGS = ("embed_tokens.weight", "lm_head.weight", "wte.weight", "embed_in.weight", "embed_out.weight")


@contextmanager
def fresh_adapter(model: Any, recipe: Recipe, seed: int) -> Iterator[PeftModel]:
    """The model with an untrained adapter around it, and without it again afterwards."""
    _check(model, recipe)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=_targets(model, recipe),
        layers_to_transform=list(recipe.layers) or None,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        init_lora_weights=True if recipe.init == "default" else recipe.init,
    )
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            with _without_warnings():
                wrapped = get_peft_model(model, config)
        except ValueError as error:
            _strip(model)
            why = str(error).strip().partition("\n")[0][:200]
            raise DataError(f"PEFT cannot put this adapter into a {type(model).__name__}: {why}") from error
    try:
        yield wrapped
    finally:
        _unwrap(wrapped)


def _targets(model: Any, recipe: Recipe) -> str | list[str]:
    """PEFT's "all-linear", by name where only some layers are adapted: it takes either, not both."""
    if recipe.targets != ("all-linear",):
        return list(recipe.targets)
    if not recipe.layers:
        return "all-linear"
    head = model.get_output_embeddings()
    return sorted({name.rpartition(".")[2] for name, module in _linear_modules(model) if module is not head})


def _check(model: Any, recipe: Recipe) -> None:
    """Every target and every layer must be there: PEFT passes over those that are not, as long as one is."""
    linear = sorted({name.rpartition(".")[2] for name, _ in _linear_modules(model)})
    if not linear:
        raise DataError(f"PEFT cannot put an adapter into a {type(model).__name__}: it has no linear modules")
    names = [name for name, _ in model.named_modules()]
    for target in recipe.targets if recipe.targets != ("all-linear",) else ():
        if not any(name == target or name.endswith(f".{target}") for name in names):
            near = did_you_mean(target, linear)
            every = "" if near.startswith("; known") else f" (linear modules: {', '.join(linear)})"
            raise DataError(
                f"recipe.targets: no module of this {type(model).__name__} is called {target!r}{near}{every}"
            )
    count = model.config.get_text_config().num_hidden_layers
    if recipe.layers and max(recipe.layers) >= count:
        raise DataError(
            f"recipe.layers {list(recipe.layers)}: this {type(model).__name__} has {count} layers, 0 to {count - 1}"
        )


def _strip(model: Any) -> None:
    """Take out what PEFT had put in when it gave up, or the next adapter would meet it."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, BaseTunerLayer):
                setattr(module, name, child.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config
    model.eval().requires_grad_(False)


@contextmanager
def saved_adapter(model: Any, folder: Path, *, trainable: bool = False) -> Iterator[PeftModel]:
    """The model with a saved adapter around it, and without it again afterwards."""
    _check_vocabulary(model, folder)
    try:
        with _without_warnings(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found missing adapter keys")  # told below, as an error
            wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
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
    tokens = model.get_input_embeddings().weight.shape[0]
    for name, shape in weight_shapes(folder):
        if name.endswith(_EMBEDDINGS) and shape[0] != tokens:
            raise DataError(
                f"the adapter in {folder} brings embeddings for {shape[0]} tokens, the model has {tokens}: its base was "
                "resized before training; give that resized model as the base"
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
            else f"it lacks {len(absent)} of the weights its configuration asks for (such as {absent[0]})"
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
def _without_warnings() -> Iterator[None]:
    """Nothing a user could mend: PEFT reads attributes that Transformers renames, and turns GPT-2's weights round."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to False")
        yield


def _unwrap(wrapped: PeftModel) -> None:
    """Take the adapter's layers out; the base keeps its own modules and weights."""
    base = wrapped.unload()
    if hasattr(base, "peft_config"):
        del base.peft_config  # or PEFT would warn that the model is adapted a second time
    base.eval().requires_grad_(False)


def _linear_modules(model: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Conv1D is what GPT-2 calls its linear layers."""
    return ((name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.Linear | Conv1D))


def save(write: Callable[[str], object], folder: Path, facts: Mapping[str, Any], card: str = "") -> None:
    """Have a folder written that appears as a whole or not at all.

    ``facts`` about its training lie beside the weights, so that targets evaluated by a later run know them too.
    """
    with whole_folder(folder) as partial:
        write(str(partial))
        (partial / FACTS).write_text(json.dumps(facts), "utf-8")
        if card:
            (partial / "README.md").write_text(card, "utf-8")
        seal_folder(partial)


def trainable(model: Any) -> dict[str, torch.nn.Parameter]:
    """The weights that a run trains, by name."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def put(weights: Mapping[str, torch.Tensor], values: Mapping[str, torch.Tensor]) -> None:
    """Copy values into weights of the same names."""
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(values[name])
