"""A bag of words, as a reference for models over word vectors: softmax regression on which words a text has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.classifiers.linear import Linear, regression
from crossgraft.embeddings.downstream.words import words_of
from crossgraft.stats.cells.levels import Level, share_level
from downstream.texts import rows

Word = tuple[str, str]  # which text it is in, "both" for two texts, and the word

TEXTS = {"sib200": ("text",), "xnli": ("premise", "hypothesis")}


def bags_of_words(data: Path, language: str) -> dict[str, Level]:
    """Accuracy on the test texts of each data set, trained on texts of the same language."""
    return {name: accuracy(data / f"tasks/{name}/{language}.jsonl.gz", fields) for name, fields in TEXTS.items()}


def accuracy(file: Path, fields: Sequence[str]) -> Level:
    """Of the model with the penalty that is best on the dev texts; the vocabulary is that of the training texts."""
    entries = list(rows(file))
    labels = sorted({row["label"] for row in entries})
    vocabulary = {word for row in entries if row["split"] == "train" for word in words_in(row, fields)}
    places = {word: place for place, word in enumerate(sorted(vocabulary))}
    train, dev, test = (
        Bags.of([row for row in entries if row["split"] == split], fields, places, labels)
        for split in ("train", "dev", "test")
    )
    start = np.zeros((len(places) + 1, len(labels)))
    models = [regression(train.x, train.gold, len(labels), penalty, start) for penalty in Linear().penalties]
    best = max(models, key=lambda w: dev.right(w).mean())
    right = test.right(best).astype(float)
    return share_level(np.stack([right, np.ones(len(right))], axis=1))


def words_in(row: Mapping[str, str], fields: Sequence[str]) -> set[Word]:
    words = {field: set(words_of(row[field].lower())) for field in fields}
    shared = set.intersection(*words.values()) if len(fields) > 1 else set()
    return {(field, word) for field in fields for word in words[field]} | {("both", word) for word in shared}


@dataclass(frozen=True, eq=False)
class Bags:
    """Texts as rows of length 1 with an entry for each of their words, and their labels as numbers."""

    x: Floats  # (texts, words)
    gold: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(
        cls,
        entries: Sequence[Mapping[str, str]],
        fields: Sequence[str],
        places: Mapping[Word, int],
        labels: Sequence[str],
    ) -> Bags:
        x = np.zeros((len(entries), len(places)))
        for number, row in enumerate(entries):
            x[number, [places[word] for word in words_in(row, fields) if word in places]] = 1.0
        gold = np.array([labels.index(row["label"]) for row in entries], dtype=np.int64)
        return cls(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0), gold)

    def right(self, w: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which texts get their label from the weights, of which the last row is the biases."""
        return np.asarray((self.x @ w[:-1] + w[-1]).argmax(axis=1) == self.gold)
