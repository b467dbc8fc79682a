"""Softmax regression on averaged word vectors: the linear reference of text classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from crossgraft.core import Floats
from crossgraft.embeddings.downstream.classifiers.encoded import Encoded, Examples, Labels


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Log-probabilities ``log_softmax(x w + b)``."""

    w: Floats  # (d, classes)
    b: Floats  # (classes,)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def log_probabilities(self, texts: Encoded) -> Floats:
        return np.asarray(log_softmax(texts.averages() @ self.w + self.b, axis=1))


@dataclass(frozen=True)
class Linear:
    """Mean negative log-likelihood + penalty / 2 ‖w‖², by L-BFGS from zero; of the penalties the best on dev is taken.

    Of equal ones the strongest. It does not change when all vectors are rotated.
    """

    penalties: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)

    stochastic: ClassVar[bool] = False

    def fit(self, train: Examples, dev: Examples, classes: int, seed: int) -> LinearModel:  # noqa: ARG002 - of networks
        x, x_dev = (examples.texts.averages().astype(np.float64) for examples in (train, dev))
        start = np.zeros((x.shape[1] + 1, classes))
        best, accuracy, chosen = start, -1.0, 0.0
        for penalty in sorted(self.penalties, reverse=True):
            start = regression(x, train.labels, classes, penalty, start)
            right = float(np.mean((x_dev @ start[:-1] + start[-1]).argmax(axis=1) == dev.labels))
            if right > accuracy:
                best, accuracy, chosen = start, right, penalty
        return LinearModel(best[:-1], best[-1], {"dev_accuracy": accuracy, "penalty": chosen})


def regression(x: Floats, labels: Labels, classes: int, penalty: float, start: Floats) -> Floats:
    """Weights, and in the last row the biases, which have no penalty. (d + 1, classes)"""
    gold = np.eye(classes)[labels]

    def loss(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(start.shape)
        scores = x @ w[:-1] + w[-1]
        value = -float(np.sum(gold * log_softmax(scores, axis=1))) / len(x) + penalty / 2 * float(np.sum(w[:-1] ** 2))
        wrong = (softmax(scores, axis=1) - gold) / len(x)
        return value, np.concatenate([x.T @ wrong + penalty * w[:-1], wrong.sum(axis=0)[None]]).ravel()

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-10})
    return np.asarray(found.x).reshape(start.shape)
