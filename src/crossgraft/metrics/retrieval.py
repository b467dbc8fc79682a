"""Scores of document retrieval, as trec_eval computes them: all relevant documents count, also those not retrieved.

Columns: ``ranks``, from 1, infinite where a relevant document was not retrieved, NaN beyond the last one of a topic;
``gains``, the judgements of the same documents.
"""

from __future__ import annotations

import numpy as np

from crossgraft.core import Answers, Floats
from crossgraft.metrics.base import mean_metric


def _relevant(ranks: Floats) -> Floats:
    """How many relevant documents each topic has; NaN for none."""
    counts = np.count_nonzero(~np.isnan(ranks), axis=1)
    return np.where(counts, counts, np.nan)


def _within(ranks: Floats, cutoff: int) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.count_nonzero(ranks <= cutoff, axis=1), dtype=np.float64)


@mean_metric("AP", reads="retrieval")
def average_precision(answers: Answers) -> Floats:
    """Mean average precision (MAP) over topics."""
    ranks = np.sort(answers.columns["ranks"], axis=1)  # NaN sorts last
    return np.asarray(np.nansum(np.arange(1, ranks.shape[1] + 1) / ranks, axis=1) / _relevant(ranks))


@mean_metric("RR", reads="retrieval")
def reciprocal_rank(answers: Answers) -> Floats:
    """Mean reciprocal rank of the first relevant document over topics."""
    ranks = answers.columns["ranks"]
    first = np.where(np.isnan(ranks), np.inf, ranks).min(axis=1, initial=np.inf)
    return np.where(np.isnan(_relevant(ranks)), np.nan, 1.0 / first)


@mean_metric("nDCG@10", reads="retrieval")
def normalised_gain(answers: Answers) -> Floats:
    """Mean normalised discounted cumulative gain of the first 10 documents over topics."""
    ranks, gains = answers.columns["ranks"], answers.columns["gains"]
    with np.errstate(invalid="ignore"):
        found = np.where(ranks <= 10, gains / np.log2(1 + ranks), 0.0).sum(axis=1)
    best = -np.sort(-gains, axis=1)[:, :10]
    ideal = np.nansum(best / np.log2(2 + np.arange(best.shape[1])), axis=1)
    return np.asarray(found / np.where(ideal > 0, ideal, np.nan))


@mean_metric("precision@10", reads="retrieval")
def precision_at_10(answers: Answers) -> Floats:
    """Mean share of relevant documents among the first 10 over topics."""
    ranks = answers.columns["ranks"]
    return np.where(np.isnan(_relevant(ranks)), np.nan, _within(ranks, 10) / 10)


@mean_metric("recall@100", reads="retrieval")
def recall_at_100(answers: Answers) -> Floats:
    """Mean share of the relevant documents that are among the first 100 over topics."""
    ranks = answers.columns["ranks"]
    return np.asarray(_within(ranks, 100) / _relevant(ranks))
