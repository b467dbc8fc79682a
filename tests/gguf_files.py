"""A tiny GGUF file: the weights and the tokenizer of a tiny Transformers Llama, written as llama.cpp writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
HEADS, KV_HEADS = 2, 1  # of the tiny model


def make_gguf(
    model: Path,
    file: Path,
    *,
    architecture: str = "llama",
    tokenizer: bool = True,
    kind: str = "F32",
    layers: int = 0,
) -> Path:
    """The weights in float32, or those with rows of whole blocks quantised; ``layers`` is what the header says, where that is a lie."""
    gguf: Any = pytest.importorskip("gguf", reason="writing a GGUF file needs the package gguf")
    load_file = pytest.importorskip("safetensors.numpy").load_file

    writer = gguf.GGUFWriter(file, architecture)
    config = json.loads((model / "config.json").read_text())
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if kind == "F32" else gguf.LlamaFileType[f"MOSTLY_{kind}"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(layers or config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    if tokenizer:
        _write_tokenizer(writer, json.loads((model / "tokenizer.json").read_text()))
    for name, weight in load_file(model / "model.safetensors").items():
        rows = _as_llama_cpp(name, weight)
        if kind != "F32" and rows.ndim == 2 and rows.shape[1] % 32 == 0:
            packed = gguf.quants.quantize(rows, gguf.GGMLQuantizationType[kind])
            writer.add_tensor(_name(name), packed, raw_dtype=gguf.GGMLQuantizationType[kind])
        else:
            writer.add_tensor(_name(name), rows)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _write_tokenizer(writer: Any, told: dict[str, Any]) -> None:
    vocabulary = told["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token == "<s>" else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in told["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def _name(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    if stem in _NAMES:
        return f"{_NAMES[stem]}.{ending}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{_NAMES[part]}.{ending}"


def _as_llama_cpp(name: str, weight: np.ndarray) -> np.ndarray:
    """Queries and keys turn pairs of neighbours there, and halves of a head in Transformers."""
    heads = {"q_proj": HEADS, "k_proj": KV_HEADS}.get(name.split(".")[-2])
    if heads is None:
        return weight
    rows, columns = weight.shape
    return np.ascontiguousarray(
        weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
    )
