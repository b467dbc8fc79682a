"""Scores of rankings in which one or several words are right."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import Metric, mean_metric


@mean_metric("MAP", reads="ranking")
def average_precision(answers: Answers) -> Floats:
    """Mean average precision over the queries whose words are known."""
    ranks = np.sort(answers.columns["ranks"], axis=1)  # (n, golds); NaN sorts last
    found = np.arange(1, ranks.shape[1] + 1)
    counts = np.count_nonzero(~np.isnan(ranks), axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(found / ranks, axis=1) / np.where(counts, counts, np.nan))


@mean_metric("MRR", reads="ranking")
def reciprocal_rank(answers: Answers) -> Floats:
    """Mean reciprocal rank of the best-placed right word, over the queries whose words are known."""
    return np.asarray(1.0 / _best_rank(answers))


def _best_rank(answers: Answers) -> Floats:
    ranks = answers.columns["ranks"]
    known = ~np.isnan(ranks).all(axis=1)
    best = np.full(len(ranks), np.nan)
    best[known] = np.nanmin(ranks[known], axis=1)
    return best


def _precision_at(cutoff: int) -> Metric:
    def within(answers: Answers) -> Floats:
        best = _best_rank(answers)
        return np.where(np.isnan(best), np.nan, (best <= cutoff).astype(np.float64))

    within.__doc__ = f"A right word is among the {cutoff} nearest, over the queries whose words are known."
    return mean_metric(f"P@{cutoff}", reads="ranking")(within)


for _cutoff in (1, 5, 10):
    _precision_at(_cutoff)


@mean_metric("coverage", reads="ranking")
def coverage(answers: Answers) -> Floats:
    """Share of the queries whose word, and at least one right word, are in the vocabularies."""
    return np.asarray(~np.isnan(answers.columns["ranks"]).all(axis=1), dtype=np.float64)
