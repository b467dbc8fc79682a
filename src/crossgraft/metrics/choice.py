"""Accuracies of multiple choice, by what an option's log-likelihood is divided by; F1 where the options are classes.

Column ``classes``, where all items have the same options in the same order: how many there are; ``positive``: which of
them, from 0, is the one to be found.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import METRICS, Metric, mean_metric


def _chosen_right(scores: Floats, gold: Floats) -> Floats:
    """1 for the highest option being the right one; k tied options share it, 1/k each.

    Giving ties to the first option, as is common, favours whatever stands first.
    """
    best = np.fmax.reduce(scores, axis=1, keepdims=True)  # without NaN
    tied = scores == best  # (n, options)
    right = tied[np.arange(len(gold)), gold.astype(np.int64)]
    return np.where(right, 1.0 / tied.sum(axis=1), 0.0)


@mean_metric("accuracy", reads="choice")
def accuracy(answers: Answers) -> Floats:
    """The option with the highest log-likelihood is the right one."""
    return _chosen_right(answers.columns["loglik"], answers.columns["gold"])


@mean_metric("accuracy-per-token", reads="choice", column="tokens")
def accuracy_per_token(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's tokens."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["tokens"], columns["gold"])


@mean_metric("accuracy-per-char", reads="choice", column="characters")
def accuracy_per_char(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's characters."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["characters"], columns["gold"])


@mean_metric("accuracy-per-byte", reads="choice", column="bytes")
def accuracy_per_byte(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's UTF-8 bytes."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["bytes"], columns["gold"])


@mean_metric("accuracy-pmi", reads="choice", column="unconditional")
def accuracy_pmi(answers: Answers) -> Floats:
    """As accuracy, less how likely the option is after the task's premise (pointwise mutual information)."""
    return _chosen_right(answers.columns["loglik"] - answers.columns["unconditional"], answers.columns["gold"])


def _hits(answers: Answers) -> tuple[Floats, Floats, Floats]:
    """Of each item and class: whether it is the answer and right, the answer and wrong, right and not the answer."""
    scores, gold = answers.columns["loglik"], answers.columns["gold"].astype(np.int64)
    said = np.eye(scores.shape[1])[np.argmax(np.where(np.isnan(scores), -np.inf, scores), axis=1)]
    right = np.eye(scores.shape[1])[gold]
    return said * right, said * (1 - right), right * (1 - said)


def _f1(hits: Floats, false: Floats, missed: Floats) -> Floats:
    """2 tp / (2 tp + fp + fn); 0 where there was nothing to find and nothing was said."""
    total = 2 * hits + false + missed
    return np.asarray(np.divide(2 * hits, total, out=np.zeros(np.shape(total)), where=total > 0))


def _of_positive(answers: Answers) -> Floats:
    columns = answers.columns["positive"].astype(np.int64)
    return np.stack([hit[np.arange(len(columns)), columns] for hit in _hits(answers)], axis=1)


def _of_classes(answers: Answers) -> Floats:
    """Three blocks of as many columns as there are classes."""
    return np.concatenate(_hits(answers), axis=1)


def _macro(sums: Floats) -> Floats:
    return np.asarray(_f1(*np.split(sums, 3, axis=-1)).mean(axis=-1))


METRICS.add(
    "micro-F1",
    Metric(
        "micro-F1",
        "choice",
        _of_positive,
        lambda sums: _f1(sums[..., 0], sums[..., 1], sums[..., 2]),
        description="F1 of the positive class, with the counts of all items together.",
        column="positive",
    ),
)
METRICS.add(
    "macro-F1",
    Metric(
        "macro-F1",
        "choice",
        _of_classes,
        _macro,
        description="The mean of the F1 of every class.",
        column="classes",
    ),
)
