"""Inference without vectors: what lengths, and the share of words that premise and hypothesis have in common, tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.classifiers.linear import regression
from crossgraft.embeddings.downstream.words import words_of
from crossgraft.stats.cells.levels import Level, share_level
from downstream.texts import rows

PENALTY = 1e-4  # of eight weights a class


def overlaps(data: Path, source: str, targets: Sequence[str]) -> dict[str, Level]:
    """Accuracy on the test pairs of each language, of a softmax regression on training pairs of the source language."""
    train = _split(data, source, "train")
    labels = sorted({row["label"] for row in train})
    features = _features(train)
    start = np.zeros((features.shape[1] + 1, len(labels)))
    w = regression(features, _gold(train, labels), len(labels), PENALTY, start)
    accuracies = {}
    for target in targets:
        test = _split(data, target, "test")
        right = ((_features(test) @ w[:-1] + w[-1]).argmax(axis=1) == _gold(test, labels)).astype(float)
        accuracies[f"xnli, {source}:{target}"] = share_level(np.stack([right, np.ones(len(right))], axis=1))
    return accuracies


def _split(data: Path, language: str, split: str) -> list[Mapping[str, str]]:
    return [row for row in rows(data / f"tasks/xnli/{language}.jsonl.gz") if row["split"] == split]


def _gold(entries: Sequence[Mapping[str, str]], labels: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([labels.index(row["label"]) for row in entries], dtype=np.int64)


def _features(entries: Sequence[Mapping[str, str]]) -> Floats:
    """Of each pair: the share of either text's words that the other has, the two lengths, and their squares."""
    texts = [[words_of(row[field].lower()) for field in ("premise", "hypothesis")] for row in entries]
    linear = np.array(
        [
            [*(len(set(premise) & set(hypothesis)) / max(1, len(set(text))) for text in (premise, hypothesis)),
             len(premise) / 20, len(hypothesis) / 10]
            for premise, hypothesis in texts
        ]
    )  # fmt: skip
    return np.hstack([linear, linear**2])
