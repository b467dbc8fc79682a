"""Small real parts for the tests: a tiny Transformers model, JSONL tasks, word vectors, specs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

T = TypeVar("T")
LANGUAGES = ("en", "sw", "no")


def make_tiny_model(folder: Path, *, seed: int = 0, biases: bool = False) -> Path:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["what is the colour of the sky ? blue red green"] * 4, trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>").save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=128,
            initializer_range=0.3,  # far from uniform, so that options really differ
            bos_token_id=0,
            eos_token_id=0,
            attention_bias=biases,
            mlp_bias=biases,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_choice_files(folder: Path, *, languages: tuple[str, ...] = LANGUAGES, items: int = 12) -> None:
    """``{language}.{split}.jsonl`` with three options an item; ids of train and test are apart."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for language in languages:
        for split in ("train", "test"):
            rows = [
                {
                    "uid": f"{split}-{n}",
                    "text": f"{language} {n} ?",
                    "choices": ["blue", "red", "green"],
                    "label": int(rng.integers(3)),
                }
                for n in range(items)
            ]
            write_jsonl(folder / f"{language}.{split}.jsonl", rows)


def write_jsonl(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


ADAPTER_SPEC = """
    study = "adapters"
    name = "tiny"
    seeds = [1]

    [models]
    tiny = { path = "MODEL", family = "llama", billions = 0.00001 }

    [tasks.intent]
    files = "data/{language}.{split}.jsonl"
    languages = ["en", "sw", "no"]
    prompt = "{text} Intent:"
    options = "choices"
    answer = "label"
    id = "uid"

    [grid]
    sources = ["intent/en"]
    targets = ["intent/*"]

    [recipe]
    rank = 2
    alpha = 4
    learning_rate = 1e-2
    epochs = 1
    batch = 4
"""


def write_spec(file: Path, text: str) -> Path:
    file.write_text(textwrap.dedent(text), "utf-8")
    return file


EMBEDDING_SPEC = """
    study = "embeddings"
    name = "planted"

    [spaces]
    files = "{language}.vec"
    languages = ["de", "en", "fi"]

    [pairs]
    all = true

    [lexicon]
    train = "{pair}.train.tsv"
    sizes = [20, 60]

    [methods]
    use = ["procrustes"]

    [tasks.bli]
    test = "{pair}.test.tsv"
"""


def make_spaces(
    folder: Path, *, languages: tuple[str, ...] = ("de", "en", "fi"), words: int = 120, width: int = 8
) -> None:
    rng = np.random.default_rng(7)
    shared = rng.normal(size=(words, width))
    for language in languages:
        rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
        vectors = shared @ rotation + 0.1 * rng.normal(size=shared.shape)
        lines = [f"{language}{n} {' '.join(f'{value:.5f}' for value in row)}" for n, row in enumerate(vectors)]
        (folder / f"{language}.vec").write_text(f"{words} {width}\n" + "\n".join(lines) + "\n", "utf-8")
    for first, source in enumerate(languages):
        for target in languages[first + 1 :]:
            pairs = [f"{source}{n}\t{target}{n}\n" for n in range(words)]
            (folder / f"{source}-{target}.train.tsv").write_text("".join(pairs[:60]), "utf-8")
            (folder / f"{source}-{target}.test.tsv").write_text(
                "".join([*pairs[60:], f"unknown\t{target}1\n"]), "utf-8"
            )


def result(steps: Generator[object, None, T]) -> T:
    """What a generator returns once all its steps are taken."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
