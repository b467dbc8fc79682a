"""Make small word spaces of which the truth is known, and texts of their words, for the specs beside this file.

    python examples/make_spaces.py FOLDER

Word n of one language is the translation of word n of the other. Each space is a rotation of the same vectors, with noise of its
own and stretched along axes of its own; the more, the harder its pairs. As in real spaces, words come in groups of similar meaning,
vectors are longer and skewed in some directions (without that, no method could do without a dictionary), and one pair of the
training dictionaries in twenty is wrong. So methods differ, and which one is best differs by pair and by size of the dictionary.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np

WRONG = 0.05  # share of the training pairs
NOISE = {"de": 0.6, "en": 0.6, "fi": 0.9, "hr": 0.7}
STRETCH = {"de": 0.1, "en": 0.1, "fi": 0.5, "hr": 0.25}  # of the logarithms of the axes' lengths


def make_spaces(folder: Path, words: int = 1000, width: int = 40) -> None:
    """One space, turned, stretched and blurred: Finnish most, Croatian less."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    lengths = np.geomspace(1, 0.3, width)
    groups = (rng.gamma(1.0, size=(words // 8, width)) - 1) * lengths
    shared = groups[rng.integers(len(groups), size=words)] + 0.5 * (rng.gamma(1.0, size=(words, width)) - 1) * lengths
    for language, noise in NOISE.items():
        turned, back = (np.linalg.qr(rng.normal(size=(width, width)))[0] for _ in range(2))
        stretch = np.exp(STRETCH[language] * rng.normal(size=width))
        vectors = (shared + noise * lengths * rng.normal(size=shared.shape)) @ turned * stretch @ back
        rows = [f"{language}{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(vectors)]
        (folder / f"{language}.vec").write_text(f"{words} {width}\n{''.join(rows)}", "utf-8")
    order = rng.permutation(words)
    for source, target in product(NOISE, NOISE):
        if source < target:
            train = [(n, rng.integers(words) if rng.random() < WRONG else n) for n in order[:400]]
            pairs = [(n, n) for n in order[400:700]]
            for name, chosen in (("train", train), ("test", pairs)):
                lines = "".join(f"{source}{one}\t{target}{other}\n" for one, other in chosen)
                (folder / f"{source}-{target}.{name}.tsv").write_text(lines, "utf-8")


def make_twins(folder: Path, words: int = 1000, width: int = 40, noise: float = 0.8) -> None:
    """Two spaces of the same words, as from two seeds: turned at random, each with noise of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(words, width))
    for language in ("en-x-a", "en-x-b"):
        turned = np.linalg.qr(rng.normal(size=(width, width)))[0]
        vectors = (shared + noise * rng.normal(size=shared.shape)) @ turned
        rows = [f"word{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(vectors)]
        (folder / f"{language}.vec").write_text(f"{words} {width}\n{''.join(rows)}", "utf-8")


def make_texts(folder: Path, languages: tuple[str, ...] = ("de", "en", "fi", "hr"), words: int = 1000) -> None:
    """The same texts in every language: topics with a relevant document each, and documents of four subjects."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    documents = rng.integers(words, size=(200, 15))
    subjects = rng.integers(4, size=400)
    own = subjects[:, None] * 40 + rng.integers(40, size=(400, 6))  # forty words that are of a subject
    texts = np.concatenate([own, rng.integers(words, size=(400, 6))], axis=1)
    splits = np.repeat(["train", "dev", "test"], [200, 50, 150])
    for language in languages:

        def line(row: np.ndarray, language: str = language) -> str:
            return " ".join(f"{language}{word}" for word in row)

        for name, rows in (("documents", documents), ("topics", documents[:60, :5])):
            lines = [f"{name[0]}{n}\t{line(row)}\n" for n, row in enumerate(rows)]
            (folder / f"{name}.{language}.tsv").write_text("".join(lines), "utf-8")
        labelled = [
            {"id": str(n), "split": split, "label": f"subject {subject}", "text": line(row)}
            for n, (split, subject, row) in enumerate(zip(splits, subjects, texts, strict=True))
        ]
        (folder / f"subjects.{language}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in labelled), "utf-8")
    (folder / "qrels.txt").write_text("".join(f"t{n} 0 d{n} 1\n" for n in range(60)), "utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    make_spaces(target / "spaces")
    make_texts(target / "texts")
    make_twins(target / "twins")
    for name in ("embeddings-small.toml", "embeddings-downstream.toml", "embeddings-twins.toml"):
        shutil.copy(Path(__file__).with_name(name), target)
