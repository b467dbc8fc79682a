"""The shapes of a decoder that FLOPs and bytes follow from.

Of a local folder by its config.json, of a GGUF file by its header, of well-known hub models by a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossgraft.adapters.bases.gguf.header import Header, read_header
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.weights.peft_folder import read_config
from crossgraft.study import Origin


@dataclass(frozen=True)
class Architecture:
    """A decoder of the Llama kind: gated feed-forward blocks, grouped keys and values."""

    hidden: int
    layers: int
    intermediate: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool = True

    @property
    def projections(self) -> Mapping[str, tuple[int, int]]:
        """Inputs and outputs of the linear layers of a block, by the names that adapters give them."""
        query, key = self.heads * self.head_size, self.kv_heads * self.head_size
        return {
            "q_proj": (self.hidden, query),
            "k_proj": (self.hidden, key),
            "v_proj": (self.hidden, key),
            "o_proj": (query, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def body(self) -> int:
        """The weights that every token meets: two FLOPs each, forward."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.projections.values())

    @property
    def head(self) -> int:
        """The weights that every predicted token meets too."""
        return self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """Without norms and biases, which are less than a thousandth."""
        return self.body + self.head * (1 if self.tied else 2)

    def lora(self, rank: int, targets: Sequence[str]) -> int:
        """The weights of an adapter on these projections, or on all."""
        chosen = [
            shape for name, shape in self.projections.items() if list(targets) == ["all-linear"] or name in targets
        ]
        return self.layers * rank * sum(inputs + outputs for inputs, outputs in chosen)


KNOWN: Mapping[str, Architecture] = {  # from the models' public configurations
    "meta-llama/Llama-3.2-1B-Instruct": Architecture(2048, 16, 8192, 32, 8, 64, 128256),
    "meta-llama/Llama-3.2-3B-Instruct": Architecture(3072, 28, 8192, 24, 8, 128, 128256),
    "meta-llama/Llama-3.1-8B-Instruct": Architecture(4096, 32, 14336, 32, 8, 128, 128256, tied=False),
    "Qwen/Qwen2.5-0.5B-Instruct": Architecture(896, 24, 4864, 14, 2, 64, 151936),
    "Qwen/Qwen2.5-1.5B-Instruct": Architecture(1536, 28, 8960, 12, 2, 128, 151936),
    "Qwen/Qwen2.5-3B-Instruct": Architecture(2048, 36, 11008, 16, 2, 128, 151936),
    "Qwen/Qwen2.5-7B-Instruct": Architecture(3584, 28, 18944, 28, 4, 128, 152064, tied=False),
    "google/gemma-3-1b-it": Architecture(1152, 26, 6912, 4, 1, 256, 262144),
    "google/gemma-3-4b-it": Architecture(2560, 34, 10240, 8, 4, 256, 262208),
}


def architecture(name: str, model: Model, origin: Origin) -> Architecture | None:
    """None where the model is neither in the table nor a local folder or file of this kind."""
    if model.hub:
        return KNOWN.get(model.hub)
    if file := model.gguf_file(origin):
        return _of_config(_config_of(read_header(file)))
    config = read_config(Path(model.input(name, origin).path) / "config.json", f"models.{name}")
    return _of_config(config)


def _of_config(config: Mapping[str, Any]) -> Architecture | None:
    names = ("hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "num_key_value_heads")
    sizes = [config.get(name) for name in (*names, "vocab_size")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return None
    hidden, layers, intermediate, heads, kv_heads, vocabulary = (int(size) for size in sizes if size is not None)
    head_size = int(config.get("head_dim") or hidden // heads)
    tied = bool(config.get("tie_word_embeddings", True))
    return Architecture(hidden, layers, intermediate, heads, kv_heads, head_size, vocabulary, tied)


def _config_of(header: Header) -> dict[str, Any]:
    """The sizes in the metadata of a GGUF file, as config.json calls them."""
    names = {
        "hidden_size": "embedding_length",
        "num_hidden_layers": "block_count",
        "intermediate_size": "feed_forward_length",
        "num_attention_heads": "attention.head_count",
        "num_key_value_heads": "attention.head_count_kv",
        "head_dim": "attention.key_length",
    }
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    config = {name: header.facts.get(f"{header.architecture}.{key}") for name, key in names.items()}
    embedding = shapes.get("token_embd.weight")
    return {
        **config,
        "vocab_size": embedding[0] if embedding else None,
        "tie_word_embeddings": "output.weight" not in shapes,
    }
