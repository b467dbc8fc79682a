"""Adapters by PEFT: made, saved as plain PEFT folders, read back, merged and unmerged."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from transformers.pytorch_utils import Conv1D

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.weights.placement import gpus_of
from crossgraft.adapters.weights.snapshot import restored
from crossgraft.adapters.weights.stored import FACTS
from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.errors import DataError, did_you_mean, nearest
from crossgraft.safety.files import whole_folder
from crossgraft.safety.seals import seal_folder

_PREFIX = "base_model.model."  # before the names of the base in an adapter's file
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
    with restored(model):
        with torch.random.fork_rng(devices=gpus_of(model)):
            torch.manual_seed(seed)
            try:
                with _without_warnings():
                    wrapped = get_peft_model(model, config)
            except ValueError as error:
                why = str(error).strip().partition("\n")[0][:200]
                raise DataError(f"PEFT cannot put this adapter into a {type(model).__name__}: {why}") from error
        yield wrapped


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
            every = f" (linear modules: {', '.join(linear)})" if nearest(target, linear) else ""
            raise DataError(
                f"recipe.targets: no module of this {type(model).__name__} is called {target!r}{near}{every}"
            )
    count = model.config.get_text_config().num_hidden_layers
    if recipe.layers and max(recipe.layers) >= count:
        raise DataError(
            f"recipe.layers {list(recipe.layers)}: this {type(model).__name__} has {count} layers, 0 to {count - 1}"
        )


@contextmanager
def saved_adapter(model: Any, folder: Path, *, trainable: bool = False) -> Iterator[PeftModel]:
    """The model with a saved adapter around it, and without it again afterwards."""
    _check_vocabulary(model, folder)
    with restored(model, _replaced(model, folder)):
        try:
            with _without_warnings(), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Found missing adapter keys")  # told below, as an error
                wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # PEFT names no common kind for an adapter that it cannot apply
            raise DataError(f"the adapter in {folder} does not fit the model: {_reason(error)}") from error
        _check_applied(wrapped, folder)
        yield wrapped.eval()


def _replaced(model: Any, folder: Path) -> list[torch.Tensor]:
    """The base's own tensors that the adapter's file brings anew: PEFT writes into them."""
    own = dict(model.named_parameters(remove_duplicate=False))
    names = (name.removeprefix(_PREFIX) for name, _ in weight_shapes(folder))
    return [own[name] for name in names if name in own]


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(lines[:2])[:300]


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
    config = wrapped.active_peft_config
    if config.is_prompt_learning:
        kind = str(config.peft_type).rpartition(".")[2]
        raise DataError(f"expected an adapter that changes weights, such as LoRA; {folder} holds one of type {kind}")
    there = {name for name, _ in weight_shapes(folder)}
    expected = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    own = set(wrapped.base_model.model.state_dict(keep_vars=True))
    lost = sorted(name for name in there - expected if name.removeprefix(_PREFIX) not in own)
    absent = sorted(expected - there)
    if lost or absent:
        what = (
            f"{len(lost)} of its weights (such as {lost[0]}) match no module"
            if lost
            else f"it lacks {len(absent)} of the weights its configuration asks for (such as {absent[0]})"
        )
        raise DataError(f"the adapter in {folder} does not fit the model: {what}; was it trained on another base?")
    _check_layers(getattr(config, "layers_to_transform", None), expected, folder)


def _check_layers(layers: int | Sequence[int] | None, weights: set[str], folder: Path) -> None:
    """PEFT passes over layers that are not there."""
    asked = [layers] if isinstance(layers, int) else layers or []
    adapted = {int(part) for name in weights for part in name.split(".") if part.isdecimal()}
    if idle := [layer for layer in asked if layer not in adapted]:
        raise DataError(
            f"the adapter in {folder} does not fit the model: layers_to_transform names {idle}, where none of its "
            f"modules is (it changes layers {sorted(adapted)}); was it trained on another base?"
        )


@contextmanager
def merged(wrapped: PeftModel) -> Iterator[None]:
    """The adapter added into float32 weights, which are put back to the last bit afterwards."""
    if getattr(wrapped.active_peft_config, "layer_replication", None):
        raise DataError("merge = true: replicated layers share their weights, so this adapter cannot be merged")
    layers = [module for module in wrapped.modules() if hasattr(module, "base_layer") and hasattr(module, "merge")]
    with restored(wrapped, [weight for layer in layers for weight in layer.base_layer.parameters(recurse=False)]):
        try:
            wrapped.merge_adapter()
        except (RuntimeError, ValueError, NotImplementedError) as error:
            raise DataError(f"merge = true: PEFT cannot merge this adapter: {_reason(error)}") from error
        yield


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Nothing a user could mend: PEFT reads attributes that Transformers renames, and turns GPT-2's weights round."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to False")
        yield


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
