"""Models and tokenizers by Transformers, from a folder or the hub; never from pickles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from crossgraft.adapters.bases.gguf import cached
from crossgraft.adapters.bases.models import Model, check_model, out_of_reach
from crossgraft.adapters.weights import placement, quantisation
from crossgraft.errors import DataError, JobFailed, MissingExtra
from crossgraft.runs.fingerprints import hub_commit, hub_is_reachable, in_hub_cache
from crossgraft.study import Origin

try:
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer
except ImportError as error:
    raise MissingExtra("working with language models", "adapters") from error


def device_of(requested: str) -> torch.device:
    """The device for ``auto`` is CUDA where there is one, else the CPU."""
    if requested == "auto":
        requested = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(requested)
    except RuntimeError as error:
        raise DataError(f"expected a device such as 'cpu' or 'cuda:0'; got {requested!r}") from error
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DataError(f"there is no device {requested!r} here: PyTorch sees no Apple GPU")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DataError(f"there is no device {requested!r} here: PyTorch sees {torch.cuda.device_count()} CUDA devices")
    return device


def device_kind(requested: str) -> str:
    """What makes two devices compute alike: the type, and the name of the GPU."""
    device = device_of(requested)
    return f"cuda {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type


def load_tokenizer(name: str, model: Model, origin: Origin) -> Any:
    where, options = _tokenizer(name, model, origin)
    with _explained(f"models.{name}: cannot load the tokenizer of {where}"):
        return AutoTokenizer.from_pretrained(where, **options)


def load_model(name: str, model: Model, origin: Origin, attention: str, device: torch.device) -> Any:
    """The model in its declared dtype, or quantised, on its device or devices, in evaluation mode, without gradients."""
    quantisation.require(name, model, device)
    placement.require(name, model, device)
    where, options = _where(name, model, origin)
    with _explained(f"models.{name}: cannot load {where}"):
        loaded, found = AutoModelForCausalLM.from_pretrained(
            where,
            output_loading_info=True,
            dtype=getattr(torch, model.dtype),
            attn_implementation=attention,
            use_safetensors=True,
            **options | quantisation.loading_options(model, device) | placement.loading_options(model, device),
        )
    _check_complete(f"models.{name}", where, loaded, found)
    if placement.is_spread(model, device):
        placement.check_placed(f"models.{name}", loaded)
    elif not model.quantised:
        loaded = loaded.to(device)
    if model.quantised:
        loaded = quantisation.prepared(loaded)
    return loaded.eval().requires_grad_(False)


def _check_complete(role: str, where: str, model: Any, found: Mapping[str, Collection[str]]) -> None:
    """Transformers fills what a checkpoint lacks with random numbers, and says so in its log only."""
    if lost := sorted(found["missing_keys"]):
        raise DataError(
            f"{role}: {where} lacks {len(lost)} weights of a {type(model).__name__} (such as {lost[0]}), which Transformers "
            "would fill with random numbers. Is config.json that of another model, or are the weights packed by a method "
            "that is not known here?"
        )


def _where(name: str, model: Model, origin: Origin) -> tuple[str, dict[str, Any]]:
    options: dict[str, Any] = {"trust_remote_code": model.trust_remote_code}
    if model.hub:
        commit = hub_commit(model.hub, model.revision, f"models.{name}")
        return model.hub, {**options, "revision": commit, **_offline(name, model.hub, commit)}
    role = f"models.{name}"
    check_model(model, origin, role)
    file = model.gguf_file(origin)
    folder = cached.weights(file, model.dtype, role) if file else model.folder(origin)
    return str(folder), {**options, "local_files_only": True}


def _tokenizer(name: str, model: Model, origin: Origin) -> tuple[str, dict[str, Any]]:
    """Where the tokenizer lies, which for GGUF is made without touching the weights."""
    options = {"trust_remote_code": model.trust_remote_code, "local_files_only": True}
    if other := model.tokenizer_input(name, origin):
        check_model(model, origin, f"models.{name}")
        return other.path, options
    if file := model.gguf_file(origin):
        return str(cached.tokenizer(file, f"models.{name}")), options
    return _where(name, model, origin)


@cache
def _offline(name: str, hub: str, commit: str) -> dict[str, Any]:
    """The option to read from the cache only, where the hub does not answer."""
    if hub_is_reachable(hub, commit):
        return {}
    if not in_hub_cache(hub, commit):
        raise JobFailed(out_of_reach(hub, commit, f"models.{name}"))
    return {"local_files_only": True}


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Transformers raises a dozen kinds of errors for a folder it does not like; ours is one sentence."""
    try:
        yield
    except (ImportError, OSError, ValueError, KeyError, RuntimeError) as error:
        lines = str(error).strip().splitlines()
        raise DataError(f"{what}: {lines[0] if lines else type(error).__name__}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars of Transformers: our own tell how far a study is."""
    was_on = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            transformers.utils.logging.enable_progress_bar()
