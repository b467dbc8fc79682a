"""Accuracies of multiple choice, by what an option's log-likelihood is divided by."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import mean_metric


def _chosen_right(scores: Floats, gold: Floats) -> Floats:
    """1 for the highest option being the right one; k tied options share it, 1/k each.

    Giving ties to the first option, as is common, favours whatever stands first.
    """
    best = np.nanmax(scores, axis=1, keepdims=True)
    tied = scores == best  # (n, options)
    right = tied[np.arange(len(gold)), gold.astype(np.int64)]
    return np.where(right, 1.0 / tied.sum(axis=1), 0.0)


@mean_metric("accuracy", reads="choice")
def accuracy(answers: Answers) -> Floats:
    """The option with the highest log-likelihood is the right one."""
    return _chosen_right(answers.columns["loglik"], answers.columns["gold"])


@mean_metric("accuracy-per-token", reads="choice")
def accuracy_per_token(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's tokens."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["tokens"], columns["gold"])


@mean_metric("accuracy-per-char", reads="choice")
def accuracy_per_char(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's characters."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["characters"], columns["gold"])


@mean_metric("accuracy-per-byte", reads="choice")
def accuracy_per_byte(answers: Answers) -> Floats:
    """As accuracy, with log-likelihoods divided by the option's UTF-8 bytes."""
    columns = answers.columns
    return _chosen_right(columns["loglik"] / columns["bytes"], columns["gold"])


@mean_metric("accuracy-pmi", reads="choice", column="unconditional")
def accuracy_pmi(answers: Answers) -> Floats:
    """As accuracy, less how likely the option is after the task's premise (pointwise mutual information)."""
    return _chosen_right(answers.columns["loglik"] - answers.columns["unconditional"], answers.columns["gold"])
