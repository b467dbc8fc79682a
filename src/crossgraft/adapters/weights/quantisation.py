"""A base with quantised weights (``quantised = "nf4"``, ``"int8"``), by bitsandbytes on CUDA."""

from __future__ import annotations

import importlib.util
from typing import Any

from crossgraft.adapters.bases.models import Model
from crossgraft.errors import DataError, MissingExtra

try:
    import torch
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig
except ImportError as error:
    raise MissingExtra("working with language models", "adapters") from error


def require(name: str, model: Model, device: torch.device) -> None:
    """Say what a quantised model lacks here, before anything is computed."""
    if not model.quantised:
        return
    if any(importlib.util.find_spec(module) is None for module in ("bitsandbytes", "accelerate")):
        raise MissingExtra(f"models.{name}: quantised = {model.quantised!r}", "quantised")
    if device.type != "cuda":
        raise DataError(
            f"models.{name}: quantised = {model.quantised!r} needs a CUDA device; this run is on {device.type!r}. Run it "
            "with --device cuda where there is one, or leave the key out"
        )


def loading_options(model: Model, device: torch.device) -> dict[str, Any]:
    """How Transformers is to load it: "nf4" (Dettmers et al., 2023) or "int8" (Dettmers et al., 2022)."""
    if not model.quantised:
        return {}
    if model.quantised == "nf4":
        config = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, model.dtype)
        )
    else:
        config = BitsAndBytesConfig(load_in_8bit=True)
    return {"quantization_config": config, "device_map": {"": device}}


def prepared(model: Any) -> Any:
    """The weights that are not quantised (norms, embeddings, head) in float32, as training needs them.

    Done when the model is loaded, not when it is first trained: the base and its adapters are then measured on
    the same weights, in whatever order.
    """
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
