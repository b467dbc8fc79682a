"""The paper's networks learn what a bag of words cannot: which word comes first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("torch")

from crossgraft.embeddings.downstream.classifiers.convolutional import Convolutional
from crossgraft.embeddings.downstream.classifiers.decomposable import DecomposableAttention
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples
from crossgraft.embeddings.downstream.classifiers.esim import ESIM
from crossgraft.embeddings.downstream.classifiers.fitting import Classifier
from crossgraft.embeddings.downstream.classifiers.linear import Linear
from crossgraft.embeddings.downstream.classifiers.training import Training

Items = list[tuple[tuple[list[int], ...], int]]  # the words of each text of an item, and its class
Task = Callable[[int, np.random.Generator], Items]

WORDS = 30
LEARNS = 0.9
CHANCE = 0.6  # of two classes, with 200 test items and three standard errors
TRAINING = Training(epochs=15, patience=15, batch=20, rate=0.01)


def topics(size: int, rng: np.random.Generator) -> Items:
    """The words 0 and 1 side by side, among others; the class is which of them is first."""
    items = []
    for label in rng.integers(2, size=size).tolist():
        others, place = rng.integers(2, WORDS, size=6).tolist(), int(rng.integers(6))
        items.append((([*others[:place], 1 - label, label, *others[place:]],), label))
    return items


def inferences(size: int, rng: np.random.Generator) -> Items:
    """The premise says that one word is before another; the hypothesis says the same (1) or the reverse (0)."""
    items = []
    for label in rng.integers(2, size=size).tolist():
        first, second = rng.permutation(np.arange(1, 11))[:2].tolist()
        hypothesis = [first, 0, second] if label else [second, 0, first]
        items.append((([first, 0, second], hypothesis), label))
    return items


def examples(items: Items) -> Examples:
    vectors = np.random.default_rng(0).normal(size=(WORDS, 16)).astype(np.float32)
    texts = tuple(tuple(np.array(text) for text in item) for item, _ in items)
    return Examples(Encoded(vectors, np.ones(WORDS), texts), np.array([label for _, label in items]))


@pytest.mark.parametrize(
    ("task", "blind", "sees"),
    [
        (topics, Linear(), Convolutional(training=TRAINING)),
        (
            inferences,
            DecomposableAttention(hidden=16, dropout=0.0, training=TRAINING),
            ESIM(hidden=16, dropout=0.0, training=TRAINING),
        ),
    ],
    ids=["cnn", "esim"],
)
def test_a_network_learns_the_order_of_words_that_its_light_model_does_not_see(
    task: Task, blind: Classifier, sees: Classifier
) -> None:
    rng = np.random.default_rng(1)
    train, dev, test = (examples(task(size, rng)) for size in (300, 60, 200))

    accuracies = [
        float(np.mean(model.log_probabilities(test.texts).argmax(axis=1) == test.labels))
        for model in (kind.fit(train, dev, 2, seed=1) for kind in (blind, sees))
    ]

    assert accuracies[0] < CHANCE
    assert accuracies[1] > LEARNS
