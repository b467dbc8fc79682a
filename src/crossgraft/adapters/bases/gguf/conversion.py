"""GGUF weights and tokenizers as plain Transformers folders, by Transformers' own reader."""

from __future__ import annotations

import importlib.util
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from crossgraft.adapters.bases.gguf.header import Header
from crossgraft.errors import DataError, MissingExtra

try:
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES
except ImportError as error:
    raise MissingExtra("working with language models", "adapters") from error

_NO_MODELS = ("general", "tokenizer")  # other entries of the table of architectures
_TOKENIZERS = ("gpt2", "llama", "gemma4")
# byte-level BPE whose texts are split as GPT-2 splits them, or whose merges never cross the places where they differ
_SPLIT_AS_GPT2 = ("gpt-2", "gpt2", "phi-2", "olmo", "smollm")


def require() -> None:
    """Say which package is missing, before anything is read."""
    if any(importlib.util.find_spec(module) is None for module in ("gguf", "accelerate")):
        raise MissingExtra("reading GGUF files", "gguf")


def check_architecture(header: Header) -> None:
    """Raise where Transformers has no reader for the architecture."""
    known = sorted({*GGUF_SUPPORTED_ARCHITECTURES, *_newer_table("GGUF_CONFIG_ARCHS")} - {*_NO_MODELS})
    if _plain(header.architecture) not in map(_plain, known):
        raise DataError(
            f"{header.file} holds a model of architecture {header.architecture!r}, which Transformers "
            f"{transformers.__version__} cannot read from GGUF (it reads {', '.join(known)}); give the original "
            "Transformers folder of the model"
        )


def check_tokenizer(header: Header) -> None:
    """Raise where the file has no tokenizer, or one that cannot be read."""
    if header.tokenizer in _TOKENIZERS:
        return
    why = (
        f"has a tokenizer of kind {header.tokenizer!r}, which cannot be read"
        if header.tokenizer
        else "has no tokenizer"
    )
    raise DataError(
        f'{header.file} {why}; name the folder of the model\'s own one, with its tokenizer.json: tokenizer = "FOLDER"'
    )


def doubt_about_splits(header: Header) -> str:
    """Why texts may become other tokens than the model was trained on; "" where nothing says so."""
    splitter = str(header.facts.get("tokenizer.ggml.pre", ""))
    if (
        header.tokenizer != "gpt2"
        or splitter in _SPLIT_AS_GPT2
        or splitter in _newer_table("GGUF_PRE_TOKENIZER_SPLITS")
    ):
        return ""
    how = f"says that its texts are split as {splitter!r}" if splitter else "does not say how its texts are split"
    return (
        f"{header.file.name} {how}, and Transformers {transformers.__version__} splits them as GPT-2 does: tokens may differ from "
        'those in training; name the folder of the original tokenizer as tokenizer = "FOLDER"'
    )


def save_weights(header: Header, dtype: str, folder: Path) -> None:
    """The dequantised weights as safetensors, with their config.json."""
    with _explained(header, "weights"):
        model, found = AutoModelForCausalLM.from_pretrained(
            header.file.parent,
            gguf_file=header.file.name,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            output_loading_info=True,
        )
        if lost := sorted(found["missing_keys"]):
            raise ValueError(f"no {lost[0]}, and {len(lost)} weights missing in all")
        model.hf_quantizer = None  # or Transformers takes the weights, which are plain now, for quantised ones
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(folder)


def save_tokenizer(header: Header, folder: Path) -> None:
    with _explained(header, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(header.file.parent, gguf_file=header.file.name, local_files_only=True)
        tokenizer.save_pretrained(folder)


def _newer_table(name: str) -> Any:
    """A table of Transformers 5.23, empty in older versions."""
    try:
        from transformers.integrations.gguf import gguf_config_mapping, gguf_tokenizer_mapping
    except ImportError:
        return {}
    return getattr(gguf_config_mapping, name, None) or getattr(gguf_tokenizer_mapping, name, {})


def _plain(architecture: str) -> str:
    """``qwen2moe`` and ``qwen2_moe``, ``gpt-oss`` and ``gpt_oss`` are the same."""
    return re.sub(r"[^a-z0-9]", "", architecture.lower())


@contextmanager
def _explained(header: Header, what: str) -> Iterator[None]:
    """Whatever Transformers raises for a file that it cannot convert, as one sentence; its warnings are about packing.

    Its progress bar of tensors has no switch; our own remark says what goes on.
    """
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stderr(io.StringIO()):
            yield
    except OSError:  # no room, for the caller to say where
        raise
    except Exception as error:  # struct.error, KeyError, ValueError, RuntimeError and more
        lines = str(error).strip().splitlines()
        why = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
        raise DataError(
            f"{header.file}: Transformers {transformers.__version__} cannot read its {what} ({why}); give the original "
            "Transformers folder of the model"
        ) from error
