"""Texts in two planted languages: word n of one is the translation of word n of the other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from parts import make_spaces, write_spec

TOPICS, DOCUMENTS, WORDS = 12, 40, 120

CLIR_SPEC = """
    study = "embeddings"
    name = "planted-retrieval"

    [spaces]
    files = "{language}.vec"
    languages = ["de", "en"]

    [pairs]
    all = true

    [lexicon]
    train = "{pair}.train.tsv"

    [methods]
    use = ["procrustes"]

    [tasks.clir]
    kind = "clir"
    topics = "topics.{language}.tsv"
    documents = "docs.{language}.tsv"
    qrels = "qrels.txt"
"""


def make_collection(folder: Path, languages: tuple[str, ...] = ("de", "en")) -> None:
    """Each topic names half of the words of its relevant document, which is noisy; the others are words at random."""
    rng = np.random.default_rng(3)
    documents = rng.integers(WORDS, size=(DOCUMENTS, 8))
    topics = documents[:TOPICS, :4]
    for language in languages:
        lines = [
            f"d{n}\t{' '.join(f'{language}{word}' for word in row)}, {'x' if n else 'aside'}!\n"
            for n, row in enumerate(documents)
        ]
        (folder / f"docs.{language}.tsv").write_text("".join(lines), "utf-8")
        lines = [f"t{n}\t{' '.join(f'{language}{word}' for word in row)}?\n" for n, row in enumerate(topics)]
        (folder / f"topics.{language}.tsv").write_text("".join(lines), "utf-8")
    (folder / "qrels.txt").write_text("".join(f"t{n} 0 d{n} 1\n" for n in range(TOPICS)), "utf-8")


@pytest.fixture
def clir_spec(tmp_path: Path) -> Path:
    make_spaces(tmp_path, languages=("de", "en"), width=30)
    make_collection(tmp_path)
    return write_spec(tmp_path / "study.toml", CLIR_SPEC)


CLDC_SPEC = """
    study = "embeddings"
    name = "planted-classes"

    [spaces]
    files = "{language}.vec"
    languages = ["de", "en"]

    [pairs]
    all = true

    [lexicon]
    train = "{pair}.train.tsv"

    [methods]
    use = ["procrustes"]

    [tasks.cldc]
    kind = "cldc"
    train = "texts.{language}.jsonl"
    dev = "texts.{language}.jsonl"
    test = "texts.{language}.jsonl"
    split_field = "split"
"""

SIZES = {"train": 90, "dev": 30, "test": 60}


def make_labelled(folder: Path, languages: tuple[str, ...] = ("de", "en")) -> None:
    """Three classes, each with forty words of its own; a text has five of its class and two of any."""
    rng = np.random.default_rng(4)
    for split, size in SIZES.items():
        labels = rng.integers(3, size=size)
        words = np.concatenate(
            [labels[:, None] * 40 + rng.integers(40, size=(size, 5)), rng.integers(WORDS, size=(size, 2))], axis=1
        )
        for language in languages:
            rows = [
                {
                    "id": f"{split}-{n}",
                    "split": split,
                    "label": f"class {label}",
                    "text": " ".join(f"{language}{word}" for word in row),
                }
                for n, (label, row) in enumerate(zip(labels, words, strict=True))
            ]
            with (folder / f"texts.{language}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture
def cldc_spec(tmp_path: Path) -> Path:
    make_spaces(tmp_path, languages=("de", "en"), width=30)
    make_labelled(tmp_path)
    return write_spec(tmp_path / "study.toml", CLDC_SPEC)


NLI_SPEC = (
    CLDC_SPEC.replace("planted-classes", "planted-inference").partition("[tasks.cldc]")[0]
    + """
    [tasks.nli]
    kind = "nli"
    train = "pairs.{language}.jsonl"
    dev = "pairs.{language}.jsonl"
    test = "pairs.{language}.jsonl"
    split_field = "split"
    decomposable = { hidden = 40, dropout = 0.0, training = { epochs = 20, patience = 20, rate = 0.003 } }
"""
)

PAIRS = {"train": 200, "dev": 60, "test": 100}


def make_inferences(folder: Path, languages: tuple[str, ...] = ("de", "en")) -> None:
    """A hypothesis repeats two words of its premise; one of the words 0 to 19 in it denies, of 20 to 39 confirms."""
    rng = np.random.default_rng(6)
    for split, size in PAIRS.items():
        words = np.stack([40 + rng.permutation(WORDS - 40)[:5] for _ in range(size)])
        labels, marks = rng.integers(2, size=size), rng.integers(20, size=size)
        hypotheses = np.concatenate([words[:, :2], (20 * labels + marks)[:, None]], axis=1)
        for language in languages:
            rows = [
                {
                    "id": f"{split}-{n}",
                    "split": split,
                    "label": ("contradiction", "entailment")[label],
                    "premise": " ".join(f"{language}{word}" for word in premise),
                    "hypothesis": " ".join(f"{language}{word}" for word in hypothesis),
                }
                for n, (label, premise, hypothesis) in enumerate(zip(labels, words, hypotheses, strict=True))
            ]
            with (folder / f"pairs.{language}.jsonl").open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows)


@pytest.fixture
def nli_spec(tmp_path: Path) -> Path:
    make_spaces(tmp_path, languages=("de", "en"), width=30)
    make_inferences(tmp_path)
    return write_spec(tmp_path / "study.toml", NLI_SPEC)
