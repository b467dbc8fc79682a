"""Make small word spaces of which the truth is known, and texts of their words, for the specs beside this file.

    python examples/make_spaces.py FOLDER

Each space is a rotation of the same vectors with noise of its own, so that word n of one language
is the translation of word n of the other, and how hard a pair is was decided here. The vectors are
longer in some directions than in others and skewed in all, as those of words are: without that, no
method could find a mapping without a dictionary.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np


def make_spaces(folder: Path, words: int = 1000, width: int = 40) -> None:
    """Rotations of one space; Finnish gets more noise than the others, so its pairs are harder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    lengths = np.geomspace(1, 0.3, width)
    shared = (rng.gamma(1.0, size=(words, width)) - 1) * lengths
    noise = {"de": 0.3, "en": 0.3, "fi": 0.8, "hr": 0.45}
    for language, spread in noise.items():
        rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
        vectors = (shared + spread * lengths * rng.normal(size=shared.shape)) @ rotation
        rows = [f"{language}{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(vectors)]
        (folder / f"{language}.vec").write_text(f"{words} {width}\n{''.join(rows)}", "utf-8")
    order = rng.permutation(words)
    for source, target in product(noise, noise):
        if source < target:
            pairs = [f"{source}{n}\t{target}{n}\n" for n in order]
            (folder / f"{source}-{target}.train.tsv").write_text("".join(pairs[:400]), "utf-8")
            (folder / f"{source}-{target}.test.tsv").write_text("".join(pairs[400:700]), "utf-8")


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
    for name in ("embeddings-small.toml", "embeddings-downstream.toml"):
        shutil.copy(Path(__file__).with_name(name), target)
