"""What the benchmarks read, made from a seed: text, a tokenizer, a random Llama, adapters, items as JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.tasks import Item
from crossgraft.adapters.weights.lora import fresh_adapter, save

Kind = Literal["zero-shot", "few-shot", "letters"]

RANK = 16
_END = "<|end|>"
_ONSETS = (*"bcdfghjklmnprstvwz", "br", "ch", "dr", "fl", "gr", "kl", "pr", "qu", "st", "tr")
_MIDDLES = (*"aeiou", "ai", "ea", "ou")
_ENDS = ("", "", "", "n", "r", "s", "l", "nd", "rt", "m")


@dataclass(frozen=True)
class Shape:
    """A Llama with a tied head. The default has 29.9 M weights in its layers, and a head of 0.41 of that."""

    vocabulary: int = 32_000
    width: int = 384
    layers: int = 16
    heads: int = 6
    kv_heads: int = 2
    mlp: int = 1280

    def config(self) -> LlamaConfig:
        return LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            intermediate_size=self.mlp,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=None,
        )


@dataclass(frozen=True)
class Texts:
    """Words in running order, to train a tokenizer on and to cut items from."""

    words: tuple[str, ...]

    @classmethod
    def made(cls, count: int, kinds: int) -> Texts:
        """So many words of invented syllables, drawn by Zipf's law from so many kinds, with capitals and full stops."""
        rng = np.random.default_rng(0)
        syllables = np.array([a + b + c for a in _ONSETS for b in _MIDDLES for c in _ENDS])
        known = ["".join(rng.choice(syllables, size=size)) for size in rng.integers(1, 5, size=kinds)]
        drawn = rng.zipf(1.1, size=3 * count) - 1
        drawn = drawn[drawn < kinds][:count]
        words = []
        left = 0
        for place in drawn:
            word = known[place]
            if left == 0:
                left = int(rng.integers(6, 18))
                word = word.capitalize()
            left -= 1
            words.append(word + ("." if left == 0 else "," if rng.random() < 0.06 else ""))
        return cls(tuple(words))

    @classmethod
    def read(cls, folder: Path, most: int = 4_000_000) -> Texts:
        """The words of all text files of a folder, up to a number of words."""
        words: list[str] = []
        for path in sorted(folder.rglob("*")):
            if path.is_file() and len(words) < most:
                words += path.read_text("utf-8", errors="ignore").split()
        if len(words) < 10_000:
            raise SystemExit(f"expected at least 10,000 words in the files of {folder}; got {len(words):,}")
        return cls(tuple(words[:most]))


def make_tokenizer(texts: Texts, vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE of exactly so many tokens, filled up with unused ones, without a beginning-of-sequence token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lines = [" ".join(texts.words[start : start + 50]) for start in range(0, len(texts.words), 50)]
    lines += ["Answer: A B C D"] * 1000  # each a token of its own, as in every real tokenizer
    tokenizer.train_from_iterator(lines, trainer)
    missing = vocabulary - tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([f"<|unused {n}|>" for n in range(missing)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_END)


def make_model(shape: Shape, folder: Path, tokenizer: PreTrainedTokenizerFast, adapters: int = 0) -> list[Path]:
    """Write a random model with its tokenizer, and adapters that change it; gives the adapters' folders."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(shape.config()).eval().requires_grad_(False)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    places = [folder.with_name(f"{folder.name}-adapter-{number}") for number in range(adapters)]
    for number, place in enumerate(places):
        with fresh_adapter(model, Recipe(rank=RANK, alpha=2.0 * RANK), seed=number) as wrapped:
            fill_adapter(wrapped, seed=number)
            save(wrapped.save_pretrained, place, {})
    return places


def fill_adapter(wrapped: Any, seed: int, scale: float = 0.02) -> None:
    """Random numbers where an untrained adapter has zeros, so that it changes what the model says."""
    device = wrapped.device
    generator = torch.Generator(device).manual_seed(1000 + seed)
    with torch.no_grad():
        for name, weight in wrapped.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, scale, generator=generator)


@dataclass(frozen=True)
class Question:
    """A row of a JSONL file."""

    id: str
    context: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Questions:
    """Items with four options, with what is shown before all of them."""

    kind: Kind
    rows: tuple[Question, ...]
    shots: tuple[Question, ...] = ()

    def items(self) -> list[Item]:
        """As crossgraft has them: the separator is part of the option."""
        shots = tuple((shot.context, f" {shot.options[shot.answer]}") for shot in self.shots)
        return [
            Item(row.id, row.context, tuple(f" {option}" for option in row.options), row.answer, shots)
            for row in self.rows
        ]

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(asdict(row)) + "\n" for row in self.rows), "utf-8")
        return path

    @classmethod
    def read(cls, path: Path, kind: Kind, shots: Sequence[Question] = ()) -> Questions:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return cls(
            kind, tuple(Question(r["id"], r["context"], tuple(r["options"]), r["answer"]) for r in rows), (*shots,)
        )


def make_questions(kind: Kind, texts: Texts, tokenizer: Any, count: int) -> Questions:
    """Contexts of 60 to 140 tokens, four options of 6 to 19; three solved ones (370 tokens) before each for few-shot.

    For letters, the options stand in the prompt and A to D are what may follow it.
    """
    rng = np.random.default_rng(1)
    spans = _spans(texts, tokenizer, rng)

    def drawn(name: str, size: int | None = None) -> Question:
        context = next(spans)(size or int(rng.integers(60, 141)))
        options = tuple(next(spans)(int(rng.integers(6, 20))) for _ in range(4))
        return Question(name, context, options, int(rng.integers(4)))

    shots = tuple(drawn(f"shot-{n}", 110) for n in range(3)) if kind == "few-shot" else ()
    rows = tuple(drawn(f"item-{n}") for n in range(count))
    if kind == "letters":
        rows = tuple(_as_letters(row) for row in rows)
    return Questions(kind, rows, shots)


def _spans(texts: Texts, tokenizer: Any, rng: np.random.Generator) -> Iterator[Any]:
    """Functions from a number of tokens to a span of whole words of about as many."""

    def span(tokens: int) -> str:
        start = int(rng.integers(len(texts.words) - 200))
        taken: list[str] = []
        length = 0
        for word in texts.words[start : start + 200]:
            more = len(tokenizer(f" {word}", add_special_tokens=False)["input_ids"])
            if taken and length + more / 2 > tokens:
                break
            length += more
            taken.append(word)
        return " ".join(taken)

    while True:
        yield span


def _as_letters(row: Question) -> Question:
    listed = "".join(f"\n{letter}. {option}" for letter, option in zip("ABCD", row.options, strict=True))
    return Question(row.id, f"{row.context}{listed}\nAnswer:", tuple("ABCD"), row.answer)
