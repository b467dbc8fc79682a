"""Metrics: answers → per-item sufficient statistics, and from their sums the score.

A metric is two small functions. ``statistics`` gives one row an item; ``aggregate`` turns summed
rows into the value. A mean is the special case with rows (value, 1); corpus measures (chrF,
perplexity) have other rows and aggregates. Because every score is a function of sums over items,
intervals and tests resample items, whatever the metric.

An item whose weight is 0 (an out-of-vocabulary query) counts for nothing and is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossgraft.core import Answers, Cell, Floats, Job, Pairing, Record, Score
from crossgraft.registry import Registry

Statistics = Callable[[Answers], Floats]  # answers of n items → (n, k)
Aggregate = Callable[[Floats], Floats]  # sums (..., k) → values (...)


def ratio(sums: Floats) -> Floats:
    """Sum of values over sum of weights; NaN where nothing has weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1], dtype=np.float64)


@dataclass(frozen=True)
class Metric:
    """How answers of one kind become a score; the unit and the direction belong to it."""

    name: str
    reads: str  # the kind of answers
    statistics: Statistics
    aggregate: Aggregate = ratio
    unit: str = "share"  # shares change in percentage points
    higher_is_better: bool = True
    description: str = ""

    @property
    def is_mean(self) -> bool:
        return self.aggregate is ratio

    def score(self, answers: Answers) -> Score:
        rows = self.statistics(answers)
        n = int(np.count_nonzero(rows[:, -1])) if self.is_mean else len(answers)
        return Score(self.name, float(self.aggregate(rows.sum(axis=0))), n, self.unit, self.higher_is_better)


METRICS: Registry[Metric] = Registry("metric", "crossgraft.metrics")


def mean_metric(name: str, *, reads: str) -> Callable[[Callable[[Answers], Floats]], Metric]:
    """Register a function from answers to one value an item as the mean of these values.

    A value of NaN gives the item no weight.
    """

    def register(values_of: Callable[[Answers], Floats]) -> Metric:
        def statistics(answers: Answers) -> Floats:
            values = values_of(answers)
            counted = ~np.isnan(values)
            return np.stack([np.where(counted, values, 0.0), counted.astype(np.float64)], axis=1)

        description = (values_of.__doc__ or "").strip().partition("\n")[0]
        return METRICS.add(name, Metric(name, reads, statistics, description=description))

    return register


def all_scores(answers: Answers) -> tuple[Score, ...]:
    """Every score that can be read from the answers."""
    metrics = (METRICS.get(name) for name in METRICS.names())
    return tuple(metric.score(answers) for metric in metrics if metric.reads == answers.kind)


def scored_record(
    job: Job,
    cell: Cell,
    answers: Answers,
    pairing: Pairing,
    *,
    timings: Mapping[str, float] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Record:
    """The record of a cell, with every score its answers can give."""
    return Record(
        id=cell.record_id,
        treatment_id=job.treatment_id,
        treatment=job.treatment,
        target=cell.target,
        item_set=cell.item_set,
        texts_id=cell.texts_id,
        answers=answers,
        pairing=pairing,
        scores=all_scores(answers),
        timings=timings or {},
        provenance=provenance or {},
    )


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
